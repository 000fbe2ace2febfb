// Compiles src/*.sol with the npm solc and writes (or, with --check, compares) artifacts/*.json.
//
//   node compile.mjs [--check] [--src DIR] [--artifacts DIR]
//
// The result depends on the sources, the settings below and the versions in package-lock.json only:
// no path of the machine goes in.
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

const HERE = dirname(fileURLToPath(import.meta.url));
const CONTRACTS = ["BallotBoard", "CredentialAnchor", "Directory", "EthereumDIDRegistry", "TrustRegistry"];
const SETTINGS = {
  evmVersion: "cancun", // the newest that eth-tester, anvil and permissioned chains all run
  optimizer: { enabled: true, runs: 200 },
};
const OUTPUTS = ["abi", "evm.bytecode.object", "evm.deployedBytecode.object", "metadata", "storageLayout"];

class CompileError extends Error {}

const sha256 = (bytes) => createHash("sha256").update(bytes).digest("hex");

/** Keys sorted at every depth, so that equal values are equal bytes. */
function sorted(value) {
  if (Array.isArray(value)) return value.map(sorted);
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(Object.keys(value).sort().map((key) => [key, sorted(value[key])]));
}

const toJson = (value) => JSON.stringify(sorted(value), null, 2) + "\n";

/** Reads a source unit by the name solc gives it: `src/…` or a package of node_modules. */
function reader(sourceDir) {
  return (unit) => {
    const path = unit.startsWith("src/") ? join(sourceDir, unit.slice(4)) : join(HERE, "node_modules", unit);
    return existsSync(path) ? { contents: readFileSync(path, "utf8") } : { error: `no file for ${unit}` };
  };
}

function compile(sourceDir) {
  const solc = createRequire(import.meta.url)("solc");
  const read = reader(sourceDir);
  const sources = {};
  for (const name of CONTRACTS) {
    const { contents, error } = read(`src/${name}.sol`);
    if (error) throw new CompileError(error);
    sources[`src/${name}.sol`] = { content: contents };
  }
  const input = {
    language: "Solidity",
    sources,
    settings: { ...SETTINGS, outputSelection: { "*": { "*": OUTPUTS } } },
  };
  const output = JSON.parse(solc.compile(JSON.stringify(input), { import: read }));
  // Warnings fail too: what is deployed for good must compile without a remark.
  const remarks = (output.errors ?? []).map((remark) => remark.formattedMessage);
  if (remarks.length > 0) throw new CompileError(remarks.join("\n"));
  return Object.fromEntries(
    CONTRACTS.map((name) => [
      `${name}.json`,
      toJson(artifact(name, output.contracts[`src/${name}.sol`][name], solc.version(), read)),
    ]),
  );
}

function artifact(name, compiled, solcVersion, read) {
  const units = Object.keys(JSON.parse(compiled.metadata).sources).sort();
  return {
    abi: compiled.abi,
    bytecode: "0x" + compiled.evm.bytecode.object,
    compiler: { ...SETTINGS, solc: solcVersion },
    contractName: name,
    deployedBytecode: "0x" + compiled.evm.deployedBytecode.object,
    // SHA-256 over one line per source unit in order of name: sha256(file) + two spaces + name
    source_sha256: sha256(units.map((unit) => `${sha256(read(unit).contents)}  ${unit}\n`).join("")),
    sources: units,
    storageLayout: withoutAstIds(compiled.storageLayout),
  };
}

/** AST ids say only in which order solc happened to read the files. */
function withoutAstIds(layout) {
  const clean = JSON.stringify(layout, (key, value) => (key === "astId" ? undefined : value));
  return JSON.parse(clean.replaceAll(/(t_(?:struct|contract|enum|userDefinedValueType)\(\w+\))\d+/g, "$1"));
}

/** The keys whose values differ, one line each. */
function differences(file, committed, fresh) {
  if (committed === undefined) return [`${file}: not there`];
  if (committed === fresh) return [];
  let before;
  try {
    before = JSON.parse(committed);
  } catch {
    return [`${file}: not JSON`];
  }
  const after = JSON.parse(fresh);
  const keys = [...new Set([...Object.keys(before), ...Object.keys(after)])].sort();
  const named = keys.filter((key) => JSON.stringify(before[key]) !== JSON.stringify(after[key]));
  return named.length > 0 ? named.map((key) => `${file}: ${key} differs`) : [`${file}: formatting differs`];
}

function check(directory, files) {
  const lines = Object.entries(files).flatMap(([file, fresh]) => {
    const path = join(directory, file);
    return differences(file, existsSync(path) ? readFileSync(path, "utf8") : undefined, fresh);
  });
  const extra = existsSync(directory) ? readdirSync(directory).filter((file) => !(file in files)) : [];
  return [...lines, ...extra.map((file) => `${file}: no such contract`)];
}

function main() {
  const { values } = parseArgs({
    options: {
      check: { type: "boolean", default: false },
      src: { type: "string", default: join(HERE, "src") },
      artifacts: { type: "string", default: join(HERE, "artifacts") },
    },
  });
  const files = compile(resolve(values.src));
  if (values.check) {
    const lines = check(values.artifacts, files);
    if (lines.length > 0) {
      console.error(lines.join("\n") + "\nrun: node compile.mjs");
      process.exitCode = 1;
    }
    return;
  }
  mkdirSync(values.artifacts, { recursive: true });
  for (const [file, text] of Object.entries(files)) writeFileSync(join(values.artifacts, file), text);
}

try {
  main();
} catch (error) {
  if (!(error instanceof CompileError)) throw error;
  console.error(error.message);
  process.exitCode = 1;
}
