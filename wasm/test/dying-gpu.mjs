// Destroys this worker's first device when the page says so.
const ask = GPUAdapter.prototype.requestDevice;
let first;
GPUAdapter.prototype.requestDevice = async function (...args) {
  const device = await ask.apply(this, args);
  first ??= device;
  return device;
};
new BroadcastChannel('gpu').onmessage = () => first.destroy();
