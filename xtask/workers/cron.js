// Runs a Worker's scheduled handler for the cron expression in the body, and answers once it and its
// background work are done; the path names the Worker. It stands in for Cloudflare's clock on a
// developer's machine and is never deployed.
export default {
  async fetch(request, env) {
    const worker = new URL(request.url).pathname.slice(1);
    const { outcome } = await env[worker].scheduled({
      cron: await request.text(),
      scheduledTime: new Date(),
    });
    return new Response(outcome);
  },
};
