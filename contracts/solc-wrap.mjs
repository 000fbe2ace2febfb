#!/usr/bin/env node
// The npm solc behind the two calls that forge makes of a native one:
//
//   solc-wrap.mjs --version
//   solc-wrap.mjs --standard-json [FILE]     input from FILE, else from standard input
//
// The input holds every source, so imports are never looked up here; path options are ignored.
import { existsSync, readFileSync } from "node:fs";
import solc from "solc";

const args = process.argv.slice(2);

async function input(file) {
  if (file !== undefined && !file.startsWith("-") && existsSync(file)) return readFileSync(file, "utf8");
  // Not readFileSync(0): on a pipe that has nothing yet it throws EAGAIN.
  const chunks = [];
  for await (const chunk of process.stdin) chunks.push(chunk);
  return Buffer.concat(chunks).toString("utf8");
}

const noImport = (path) => ({ error: `not in the input: ${path}` });

if (args.includes("--version")) {
  console.log(`solc, the solidity compiler commandline interface\nVersion: ${solc.version()}`);
} else if (args.includes("--standard-json")) {
  const file = args[args.indexOf("--standard-json") + 1];
  // No process.exit: it would cut off what the pipe has not taken yet.
  process.stdout.write(solc.compile(await input(file), { import: noImport }));
} else {
  console.error(`solc-wrap.mjs: only --version and --standard-json, not: ${args.join(" ")}`);
  process.exitCode = 1;
}
