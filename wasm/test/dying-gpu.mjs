// The first device of this worker is destroyed at its sixth submit.
const ask = GPUAdapter.prototype.requestDevice;
let first = true;
GPUAdapter.prototype.requestDevice = async function (...args) {
  const device = await ask.apply(this, args);
  if (first) {
    first = false;
    let left = 6;
    const submit = device.queue.submit;
    device.queue.submit = function (...commands) {
      if (--left === 0) device.destroy();
      return submit.apply(this, commands);
    };
  }
  return device;
};
