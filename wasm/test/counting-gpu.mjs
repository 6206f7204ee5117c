// Counts what the GPU holds for this worker, and tells the page when it asks.
const held = { buffers: 0, bytes: 0, pipelines: 0 };
const make = GPUDevice.prototype.createBuffer;
GPUDevice.prototype.createBuffer = function (description) {
  const buffer = make.call(this, description);
  held.buffers++;
  held.bytes += buffer.size;
  return buffer;
};
const destroy = GPUBuffer.prototype.destroy;
const gone = new WeakSet();
GPUBuffer.prototype.destroy = function () {
  if (!gone.has(this)) {
    gone.add(this);
    held.buffers--;
    held.bytes -= this.size;
  }
  return destroy.call(this);
};
const compile = GPUDevice.prototype.createComputePipelineAsync;
GPUDevice.prototype.createComputePipelineAsync = function (description) {
  held.pipelines++;
  return compile.call(this, description);
};
const channel = new BroadcastChannel('held');
channel.onmessage = ({ data }) => { if (data === 'tell') channel.postMessage({ ...held }); };
