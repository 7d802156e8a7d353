#!/usr/bin/env node
// Compiles every contract of contracts/src, and OpenZeppelin's AccessManager, with the pinned npm compiler and either
// writes the committed artifacts or compares them with what the sources give.
//
//   node tools/artifacts.mjs --write    write contracts/artifacts/*.json
//   node tools/artifacts.mjs check      compare; also with forge's output where `forge build` has left one
//
// Exit code: 0 equal or written, 1 something differs, 2 the sources do not compile or the command line is wrong.
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..');
const solc = createRequire(import.meta.url)('solc');
const sourceRoot = 'contracts/src';
// Deployed as it is, so its bytecode is committed too.
const outside = ['node_modules/@openzeppelin/contracts/access/manager/AccessManager.sol'];
const artifactDir = path.join(root, 'contracts/artifacts');
const forgeDir = path.join(root, 'target/forge/out');
const settings = {
  optimizer: { enabled: true, runs: 10000 },
  evmVersion: 'osaka',
  remappings: ['@openzeppelin/contracts/=node_modules/@openzeppelin/contracts/'],
  metadata: { bytecodeHash: 'none', appendCBOR: false },
  outputSelection: {
    '*': {
      '*': [
        'abi',
        'evm.bytecode.object',
        'evm.deployedBytecode.object',
        'evm.deployedBytecode.immutableReferences',
        'storageLayout',
      ],
    },
  },
};

function readSources() {
  const files = readdirSync(path.join(root, sourceRoot), { recursive: true }).filter((f) => f.endsWith('.sol'));
  const keys = files.map((f) => path.posix.join(sourceRoot, f.split(path.sep).join('/'))).sort();
  const content = (key) => ({ content: readFileSync(path.join(root, key), 'utf8') });
  return Object.fromEntries([...keys, ...outside].map((key) => [key, content(key)]));
}

function resolveImport(name) {
  const file = path.join(root, name);
  return existsSync(file) ? { contents: readFileSync(file, 'utf8') } : { error: `File not found: ${name}` };
}

function compile(sources) {
  const input = JSON.stringify({ language: 'Solidity', sources, settings });
  const output = JSON.parse(solc.compile(input, { import: resolveImport }));
  const messages = (output.errors ?? []).filter((e) => !e.sourceLocation?.file.startsWith('node_modules/'));
  for (const { formattedMessage } of messages) process.stderr.write(`${formattedMessage}\n`);
  if (messages.some((e) => e.severity === 'error')) process.exit(2);
  return output.contracts;
}

// Immutable slots are named by compiler node numbers, which change with unrelated edits; only the places are kept.
const immutablePlaces = (references) =>
  Object.values(references)
    .flat()
    .sort((a, b) => a.start - b.start);

const artifact = (contractName, sourceName, c) => ({
  contractName,
  sourceName,
  compiler: solc.version().replace('.Emscripten.clang', ''),
  evmVersion: settings.evmVersion,
  optimizerRuns: settings.optimizer.runs,
  abi: c.abi,
  bytecode: `0x${c.evm.bytecode.object}`,
  deployedBytecode: `0x${c.evm.deployedBytecode.object}`,
  immutablePlaces: immutablePlaces(c.evm.deployedBytecode.immutableReferences ?? {}),
  storageLayout: (c.storageLayout?.storage ?? []).map(({ astId, type, ...slot }) => ({
    ...slot,
    type: c.storageLayout.types[type].label,
  })),
});

// Libraries are inlined into their users and abstract contracts live in their heirs: neither has an artifact.
const isLibrary = (source, name) => new RegExp(`^library ${name}\\b`, 'm').test(source);
const isAbstract = (source, name) => new RegExp(`^abstract contract ${name}\\b`, 'm').test(source);

function collect(sources) {
  const compiled = compile(sources);
  return Object.keys(sources).flatMap((key) =>
    Object.entries(compiled[key] ?? {})
      .filter(([name]) => !isLibrary(sources[key].content, name) && !isAbstract(sources[key].content, name))
      .map(([name, contract]) => artifact(name, key, contract)),
  );
}

const fileOf = (a) => path.join(artifactDir, `${a.contractName}.json`);
const textOf = (a) => `${JSON.stringify(a, null, 1)}\n`;
const committed = () => (existsSync(artifactDir) ? readdirSync(artifactDir).filter((f) => f.endsWith('.json')) : []);

function write(artifacts) {
  mkdirSync(artifactDir, { recursive: true });
  for (const name of committed()) rmSync(path.join(artifactDir, name));
  for (const a of artifacts) writeFileSync(fileOf(a), textOf(a));
  process.stdout.write(`wrote ${artifacts.length} artifacts\n`);
}

// Forge orders the keys of each entry in its own way.
function sorted(value) {
  if (Array.isArray(value)) return value.map(sorted);
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(Object.keys(value).sort().map((key) => [key, sorted(value[key])]));
}

const sameAbi = (a, b) => {
  const texts = (abi) => abi.map((entry) => JSON.stringify(sorted(entry))).sort();
  return JSON.stringify(texts(a)) === JSON.stringify(texts(b));
};

// Forge's output for a contract, if a build left one; `forge lint` leaves files without bytecode.
function forgeOutput(a) {
  const file = path.join(forgeDir, path.basename(a.sourceName), `${a.contractName}.json`);
  const output = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : {};
  return output.bytecode === undefined ? undefined : output;
}

function differenceFromForge(a) {
  const forge = forgeOutput(a);
  const same =
    forge === undefined ||
    (forge.bytecode.object === a.bytecode &&
      forge.deployedBytecode.object === a.deployedBytecode &&
      sameAbi(forge.abi, a.abi));
  return same ? [] : [`${a.contractName}: forge compiles these sources to something else (is its output stale?)`];
}

function differences(a) {
  if (!existsSync(fileOf(a))) return [`${a.contractName}: no committed artifact`];
  const same = readFileSync(fileOf(a), 'utf8') === textOf(a);
  return [...(same ? [] : [`${a.contractName}: the committed artifact is not what its source gives`]), ...differenceFromForge(a)];
}

function check(artifacts) {
  const known = new Set(artifacts.map((a) => `${a.contractName}.json`));
  const orphans = committed().filter((f) => !known.has(f));
  const found = [...artifacts.flatMap(differences), ...orphans.map((f) => `${f}: no source gives this artifact`)];
  for (const line of found) process.stderr.write(`error: ${line}\n`);
  const agreed = artifacts.filter((a) => forgeOutput(a) !== undefined).length;
  if (found.length === 0) {
    process.stdout.write(`${artifacts.length} artifacts are what the sources give; forge's output agrees on ${agreed}\n`);
  }
  process.exitCode = found.length === 0 ? 0 : 1;
}

const mode = process.argv[2] ?? 'check';
if (mode === '--write') write(collect(readSources()));
else if (mode === 'check' || mode === '--check') check(collect(readSources()));
else {
  process.stderr.write('error: unknown mode\nhint: node tools/artifacts.mjs --write | check\n');
  process.exitCode = 2;
}
