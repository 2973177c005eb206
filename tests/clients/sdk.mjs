// Calls the gateway as a program does that uses OpenAI's SDK for JavaScript and knows nothing else.
// Prints what it got as JSON; `sdk.py` does and prints the same. The Rust test says what is right.
import OpenAI from "openai";

const env = process.env;
const tools = [
  {
    type: "function",
    function: {
      name: "weather",
      description: "Tells the weather.",
      parameters: {
        type: "object",
        properties: { city: { type: "string" } },
        required: ["city"],
      },
    },
  },
];
const schema = {
  type: "object",
  properties: { answer: { type: "string" } },
  required: ["answer"],
};
const picture =
  "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";

const client = (apiKey, maxRetries = 0) =>
  new OpenAI({ baseURL: env.BASE_URL, apiKey, maxRetries });
const mine = client(env.KEY);

const ask = (content, more = {}) =>
  mine.chat.completions.create({
    model: "sim/echo",
    messages: [{ role: "user", content }],
    max_tokens: 24,
    ...more,
  });

async function models() {
  const ids = [];
  for await (const model of mine.models.list()) ids.push(model.id);
  return { count: ids.length, echo: ids.includes("sim/echo") };
}

async function one_shot() {
  const answer = await ask("hello out there");
  return {
    text: answer.choices[0].message.content,
    finish_reason: answer.choices[0].finish_reason,
    completion_tokens: answer.usage.completion_tokens,
    cost: answer.usage.cost,
    id: answer.id.startsWith("gen-"),
    request_id: answer._request_id.startsWith("req_"),
  };
}

async function streamed() {
  let text = "";
  let chunks = 0;
  let usage = null;
  const stream = await ask("hello out there", {
    stream: true,
    stream_options: { include_usage: true },
  });
  for await (const chunk of stream) {
    if (chunk.choices.length > 0) {
      text += chunk.choices[0].delta.content ?? "";
      chunks += 1;
    }
    usage = chunk.usage ?? usage;
  }
  return {
    text,
    in_pieces: chunks > 5,
    completion_tokens: usage.completion_tokens,
    cost: usage.cost,
  };
}

async function tool() {
  const answer = await ask("use the tool", { tools, max_tokens: 200 });
  const call = answer.choices[0].message.tool_calls[0];
  return { name: call.function.name, city: "city" in JSON.parse(call.function.arguments) };
}

async function tool_streamed() {
  let name = "";
  let args = "";
  for await (const chunk of await ask("use the tool", { tools, max_tokens: 200, stream: true })) {
    for (const call of chunk.choices[0].delta.tool_calls ?? []) {
      name += call.function.name ?? "";
      args += call.function.arguments ?? "";
    }
  }
  return { name, city: "city" in JSON.parse(args) };
}

async function structured() {
  const json_schema = { name: "reply", schema };
  const formats = [{ type: "json_object" }, { type: "json_schema", json_schema }];
  const texts = [];
  for (const response_format of formats) {
    const answer = await ask("in json", { response_format, max_tokens: 200 });
    texts.push(JSON.parse(answer.choices[0].message.content));
  }
  return { object: typeof texts[0] === "object", schema: typeof texts[1].answer === "string" };
}

async function image() {
  const parts = [
    { type: "text", text: "what is this" },
    { type: "image_url", image_url: { url: picture } },
  ];
  return { prompt_tokens: (await ask(parts)).usage.prompt_tokens };
}

async function failure(call) {
  try {
    await call();
  } catch (error) {
    if (!(error instanceof OpenAI.APIError)) throw error;
    return {
      class: error.constructor.name,
      status: error.status ?? null,
      code: error.code ?? null,
      retry_after: error.headers?.has("retry-after") ?? false,
      limits: error.headers?.get("x-ratelimit-limit-requests") ?? null,
    };
  }
  return "no failure";
}

async function failures() {
  const echo = (key, retries = 0, more = {}) =>
    client(key, retries).chat.completions.create({
      model: "sim/echo",
      messages: [{ role: "user", content: "fail" }],
      max_tokens: 5,
      ...more,
    });
  const twice = async (key, retries) => {
    await echo(key, retries);
    await echo(key, retries);
  };
  const read = async (stream) => {
    for await (const chunk of await stream) void chunk;
  };
  return {
    malformed_key: await failure(() => echo("sk-nonsense")),
    unknown_key: await failure(() => echo(env.UNKNOWN_KEY)),
    no_credit: await failure(() => echo(env.POOR_KEY)),
    limited: await failure(() => twice(env.LIMITED_KEY)),
    // With the SDK's own retries: an hour's limit must not be asked about again.
    hourly: await failure(() => twice(env.HOURLY_KEY, 2)),
    unknown_model: await failure(() => echo(env.KEY, 0, { model: "sim/nope" })),
    bad_field: await failure(() => echo(env.KEY, 0, { temperature: 9 })),
    refused_field: await failure(() => echo(env.KEY, 0, { plugins: [] })),
    provider: await failure(() => echo(env.KEY, 0, { model: "sim/status-500" })),
    mid_stream: await failure(() =>
      read(echo(env.KEY, 0, { model: "sim/error-mid-stream", stream: true })),
    ),
  };
}

const told = {};
for (const step of [models, one_shot, streamed, tool, tool_streamed, structured, image, failures]) {
  told[step.name] = await step();
}
console.log(JSON.stringify(told));
