export default {
  build: { target: 'esnext', assetsInlineLimit: 0 },
  worker: { format: 'es' },
};
