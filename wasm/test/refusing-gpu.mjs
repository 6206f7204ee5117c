GPUAdapter.prototype.requestDevice = () => Promise.reject(new DOMException('refused', 'OperationError'));
