// How much a page weighs for somebody who comes for the first time.
import { gzipSync } from "node:zlib";

/** What a network on the way compresses, as Cloudflare does; pictures and fonts are compressed already. */
const COMPRESSED = /^(text\/|application\/(javascript|json|manifest\+json)|image\/svg)/;

/**
 * Loads a page in a fresh context and adds up what came. Returns bytes: `wire` is what went over the
 * wire here, heads included; `gzip` is the same with every text as gzip makes it, which is what a
 * server that compresses sends; `script` is the gzip of all scripts, those in the page included.
 */
export async function weigh(browser, url, options = {}) {
  const context = await browser.newContext(options);
  try {
    const page = await context.newPage();
    const responses = [];
    page.on("response", (response) => responses.push(response));
    await page.goto(url, { waitUntil: "networkidle" });
    const inline = await page.evaluate(() => {
      // Other types are data that no one runs.
      const runs = ({ src, type }) => !src && /^(|module|text\/javascript)$/.test(type);
      return [...document.scripts].filter(runs).map((script) => script.text);
    });
    const sum = { wire: 0, gzip: 0, script: gzipped(Buffer.from(inline.join("\n"))) };
    for (const response of responses) add(sum, await weightOf(response));
    return sum;
  } finally {
    await context.close();
  }
}

async function weightOf(response) {
  await response.finished();
  const { responseHeadersSize: head, responseBodySize: sent } = await response.request().sizes();
  const type = response.headers()["content-type"] ?? "";
  if (!COMPRESSED.test(type)) return { wire: head + sent, gzip: head + sent, script: 0 };
  const small = gzipped(await response.body().catch(() => Buffer.alloc(0)));
  const isScript = response.request().resourceType() === "script";
  return { wire: head + sent, gzip: head + small, script: isScript ? small : 0 };
}

function add(sum, more) {
  for (const name of Object.keys(sum)) sum[name] += more[name];
}

const gzipped = (bytes) => (bytes.length > 0 ? gzipSync(bytes).length : 0);
