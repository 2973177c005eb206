// What goes wrong on pages without anybody seeing it: errors on the console, among them breaches of the
// content security policy and answers with an error status, exceptions, and requests without an answer.

/**
 * Notes from now on what goes wrong in a context. Returns the list of lines, which grows. A test ends
 * with `expectNone`.
 */
export function watch(context) {
  const problems = [];
  context.on("console", (message) => {
    if (message.type() !== "error") return;
    problems.push(`console: ${message.text()} (${message.location().url})`);
  });
  context.on("weberror", (error) => problems.push(`exception: ${error.error().message}`));
  context.on("requestfailed", (request) => {
    const why = request.failure()?.errorText;
    // A page that is left behind no longer wants its requests.
    if (why !== "net::ERR_ABORTED") problems.push(`request: ${request.url()} ${why}`);
  });
  return problems;
}

/** Fails when something went wrong, and begins anew. `expected` are parts of lines that may be there. */
export function expectNone(problems, expected = []) {
  const found = problems.splice(0);
  const others = found.filter((line) => !expected.some((part) => line.includes(part)));
  if (others.length > 0) throw new Error(`on the page:\n${others.join("\n")}`);
}
