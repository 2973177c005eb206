// What people with a screen reader, a keyboard or weak eyes stumble over, as far as axe can tell.
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";

const file = createRequire(import.meta.url).resolve("axe-core/axe.min.js");
const source = await readFile(file, "utf8");

/** The findings that fail a page. */
const GRAVE = ["serious", "critical"];

/**
 * Fails when axe finds anything serious or critical on the page as it is now. Returns the lesser
 * findings as lines. Frames are left out: what they show are pages of their own.
 */
export async function checkAccessibility(page) {
  // Evaluated by the debugger, which the page's policy does not bind. A script tag would be blocked,
  // and with the policy switched off it would no longer be the page that people get.
  await page.evaluate(source);
  const { violations } = await page.evaluate(() =>
    globalThis.axe.run(document, { iframes: false, resultTypes: ["violations"] }),
  );
  const grave = violations.filter(({ impact }) => GRAVE.includes(impact));
  if (grave.length > 0) throw new Error(`axe at ${page.url()}:\n${grave.map(describe).join("\n")}`);
  return violations.map(describe);
}

function describe({ id, impact, help, nodes }) {
  const places = nodes.map(({ target, failureSummary }) => {
    const summary = failureSummary.replaceAll("\n", "\n    ");
    return `  ${target.flat().join(" ")}\n    ${summary}`;
  });
  return [`${impact}: ${help} (${id})`, ...places].join("\n");
}
