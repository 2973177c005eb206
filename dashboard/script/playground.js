// The playground with a script: the answer is shown as it comes with about what it costs so far, can be
// stopped, and says what was charged at its end. Without a script the form answers with a whole page.
"use strict";

{
  const form = document.querySelector("#playground-form form");
  const output = document.querySelector("#playground-output");
  const answer = output.querySelector("[data-answer]");
  const status = output.querySelector("[data-status]");
  const stop = output.querySelector("[data-stop]");
  const says = output.dataset;
  let running = null;

  const say = (text) => {
    status.textContent = text;
  };
  const fill = (text, values) => text.replace(/\{(\w+)\}/g, (_, name) => values[name]);
  // Charges are whole billionths of a dollar.
  const usd = (amount) => "$" + Number(amount).toFixed(9).replace(/(\.\d\d\d*?)0+$/, "$1");

  // The page says what each model costs in 1e-12 dollars. A token is about four bytes of text.
  const prices = new Map(
    says.prices.split("\n").map((line) => {
      const [slug, ...units] = line.split(" ");
      return [slug, units.map(Number)];
    }),
  );
  const tokens = (text) => Math.ceil(new TextEncoder().encode(text).length / 4);
  const about = ({ price: [prompt, completion, request, least], asked, written }) =>
    Math.max(least, request + asked * prompt + written * completion) / 1e12;

  const show = (chunk, heard) => {
    const text = chunk.choices?.[0]?.delta?.content;
    if (text) {
      heard.written += tokens(text);
      answer.append(text);
      say(fill(says.running, { n: heard.written, charge: usd(about(heard)) }));
    }
    if (chunk.usage) heard.usage = chunk.usage;
    const fault = chunk.error ?? chunk.tollgate?.error;
    if (fault) heard.fault = fault.message ?? fault.code;
  };

  const read = async (body, heard) => {
    const reader = body.pipeThrough(new TextDecoderStream()).getReader();
    let rest = "";
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      const lines = (rest + value).split("\n");
      rest = lines.pop();
      for (const line of lines) {
        if (!line.startsWith("data:")) continue;
        const data = line.slice(5).trim();
        if (data && data !== "[DONE]") show(JSON.parse(data), heard);
      }
    }
  };

  const tell = ({ usage, fault }) => {
    const price = usage && fill(says.done, {
      prompt: usage.prompt_tokens,
      completion: usage.completion_tokens,
      charge: usd(usage.cost),
    });
    say([fault, price].filter(Boolean).join(" ") || says.failed);
  };

  const run = async (signal) => {
    const data = new URLSearchParams(new FormData(form));
    const response = await fetch(form.action, {
      method: "POST",
      body: data,
      signal,
      headers: { accept: "text/event-stream", "x-csrf-token": data.get("csrf") },
    });
    const type = response.headers.get("content-type") ?? "";
    if (type.startsWith("text/event-stream")) {
      const price = prices.get(data.get("model"));
      const asked = tokens(data.get("prompt"));
      const heard = { price, asked, written: 0, usage: null, fault: "" };
      await read(response.body, heard);
      tell(heard);
    } else if (type.startsWith("application/json")) {
      say((await response.json()).error?.message ?? says.failed);
    } else {
      // Signed out meanwhile, or the page is older than the session.
      say(says.failed);
    }
  };

  const ended = () => {
    running = null;
    stop.hidden = true;
    output.removeAttribute("aria-busy");
    delete form.dataset.sent;
    for (const button of form.querySelectorAll("[aria-busy]")) button.removeAttribute("aria-busy");
  };

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (running) return;
    running = new AbortController();
    output.hidden = false;
    output.setAttribute("aria-busy", "true");
    answer.textContent = "";
    stop.hidden = false;
    say(says.waiting);
    run(running.signal)
      .catch((fault) => say(fault.name === "AbortError" ? says.stopped : says.failed))
      .finally(ended);
  });
  stop.addEventListener("click", () => running?.abort());
}
