// Runs the native forge of this platform:  node forge.mjs test --offline
// (with --where: prints the folder it lies in).
//
// Not the launcher of @foundry-rs/forge: it ends with 0 when forge fails.
import { spawnSync } from "node:child_process";
import { createRequire } from "node:module";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";

const CPUS = { x64: "amd64", arm64: "arm64" };
const name = `@foundry-rs/forge-${process.platform}-${CPUS[process.arch] ?? process.arch}`;
const program = process.platform === "win32" ? "forge.exe" : "forge";

let binary;
try {
  binary = createRequire(import.meta.url).resolve(`${name}/bin/${program}`);
} catch {
  console.error(`forge.mjs: ${name} is not installed; run npm ci, or there is no forge for this platform`);
  process.exit(69);
}

if (process.argv[2] === "--where") {
  console.log(dirname(binary));
} else {
  const { status, signal } = spawnSync(binary, process.argv.slice(2), {
    cwd: dirname(fileURLToPath(import.meta.url)),
    stdio: "inherit",
  });
  process.exitCode = status ?? (signal ? 70 : 71);
}
