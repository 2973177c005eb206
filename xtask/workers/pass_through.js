// Passes a call on to the provider's stand-in, and streams its answer back: the least that a Worker
// between a caller and a provider does. The benchmark compares the gateway with it; it is never
// deployed.
export default {
  fetch(request, env) {
    const { pathname, search } = new URL(request.url);
    return fetch(env.UPSTREAM + pathname + search, request);
  },
};
