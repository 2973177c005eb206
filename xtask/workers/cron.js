// Runs the gateway's scheduled handler for the cron expression in the body, and answers once it
// and its background work are done. It stands in for Cloudflare's clock on a developer's machine
// and is never deployed.
export default {
  async fetch(request, env) {
    const { outcome } = await env.GATEWAY.scheduled({
      cron: await request.text(),
      scheduledTime: new Date(),
    });
    return new Response(outcome);
  },
};
