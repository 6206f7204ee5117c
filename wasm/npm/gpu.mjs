// WebGPU for the Go module (runtime/internal/gpu/driver/js.go): every method is
// one call from Go. Pointers are into Go's memory, which may have grown between
// two calls but not within one.
import { adapter } from './features.mjs';

const names = {
  buffer: 'maxBufferSize', binding: 'maxStorageBufferBindingSize', storageBuffers: 'maxStorageBuffersPerShaderStage',
  workgroups: 'maxComputeWorkgroupsPerDimension', invocations: 'maxComputeInvocationsPerWorkgroup', workgroupMemory: 'maxComputeWorkgroupStorageSize',
};
const features = { f16: 'shader-f16', subgroups: 'subgroups', timestamps: 'timestamp-query' };

const limitsOf = (limits) => Object.fromEntries(Object.entries(names).map(([ours, theirs]) => [ours, limits[theirs]]));
const featuresOf = (set) => Object.fromEntries(Object.entries(features).map(([ours, theirs]) => [ours, set.has(theirs)]));

const failure = (kind, label, message) => Object.assign(new Error(message), { kind, label });

/** The browser's WebGPU. memory gives Go's ArrayBuffer as it is now. */
export class Gpu {
  constructor(memory) {
    this.memory = memory;
  }

  /** What the adapter is, or null. */
  async adapter() {
    const found = await adapter({ powerPreference: 'high-performance' });
    this.found = found.adapter;
    if (!this.found) return null;
    return {
      name: found.name, vendor: this.found.info?.vendor ?? '', software: found.software,
      limits: limitsOf(this.found.limits), features: featuresOf(this.found.features),
    };
  }

  async device(want, wish) {
    const has = this.found.limits;
    const requiredLimits = {};
    for (const [ours, theirs] of Object.entries(names)) {
      if (want[ours] > 0) requiredLimits[theirs] = Math.min(want[ours], has[theirs]);
    }
    if (requiredLimits.maxComputeInvocationsPerWorkgroup) {
      requiredLimits.maxComputeWorkgroupSizeX = Math.min(requiredLimits.maxComputeInvocationsPerWorkgroup, has.maxComputeWorkgroupSizeX);
    }
    const requiredFeatures = Object.entries(features).filter(([ours, theirs]) => wish[ours] && this.found.features.has(theirs)).map(([, theirs]) => theirs);
    try {
      return new Device(await this.found.requestDevice({ requiredLimits, requiredFeatures }), this.memory);
    } catch (error) {
      throw failure('invalid', 'device', error.message);
    }
  }
}

class Device {
  #failure = null; // not yet told
  #lost = null; // told for ever
  #staging = []; // free buffers for reading

  constructor(device, memory) {
    this.device = device;
    this.memory = memory;
    this.limits = limitsOf(device.limits);
    this.features = featuresOf(device.features);
    device.lost.then(({ reason, message }) => {
      this.#lost = failure('lost', '', message || reason || 'the browser does not say why');
    });
    device.addEventListener('uncapturederror', (event) => {
      event.preventDefault();
      this.#failure ??= failure(event.error instanceof GPUOutOfMemoryError ? 'memory' : 'invalid', '', event.error.message.split('\n')[0]);
    });
  }

  #check() {
    if (this.#lost) throw this.#lost;
    if (this.#failure) {
      const error = this.#failure;
      this.#failure = null;
      throw error;
    }
  }

  async buffer(label, size, uniform) {
    this.#check();
    const { COPY_DST, COPY_SRC, STORAGE, UNIFORM } = GPUBufferUsage;
    this.device.pushErrorScope('out-of-memory');
    this.device.pushErrorScope('validation');
    const buffer = this.device.createBuffer({ label, size, usage: uniform ? UNIFORM | COPY_DST : STORAGE | COPY_DST | COPY_SRC });
    const [invalid, memory] = await Promise.all([this.device.popErrorScope(), this.device.popErrorScope()]);
    this.#check();
    if (memory) throw failure('memory', label, memory.message);
    if (invalid) throw failure(size > this.limits.buffer ? 'memory' : 'invalid', label, invalid.message);
    return buffer;
  }

  async pipeline(label, code, kinds) {
    this.#check();
    const { device } = this;
    const layout = device.createBindGroupLayout({
      label,
      entries: kinds.map((type, binding) => ({ binding, visibility: GPUShaderStage.COMPUTE, buffer: { type } })),
    });
    device.pushErrorScope('validation');
    const module = device.createShaderModule({ label, code });
    const checked = device.popErrorScope();
    try {
      const pipeline = await device.createComputePipelineAsync({
        label, layout: device.createPipelineLayout({ bindGroupLayouts: [layout] }), compute: { module, entryPoint: 'main' },
      });
      const error = await checked;
      if (error) throw error;
      return { pipeline, layout };
    } catch (error) {
      await checked;
      this.#check();
      throw failure('invalid', label, error.message.split('\n').slice(0, 3).join(' '));
    }
  }

  group(label, { layout }, flat) {
    const entries = [];
    for (let i = 0; i < flat.length; i += 3) {
      entries.push({ binding: i / 3, resource: { buffer: flat[i], offset: flat[i + 1], size: flat[i + 2] } });
    }
    return this.device.createBindGroup({ label, layout, entries });
  }

  sequence(label, commands) {
    return { label, commands };
  }

  release(thing) {
    thing.destroy?.();
  }

  write(buffer, offset, pointer, n) {
    this.#check();
    this.device.queue.writeBuffer(buffer, offset, this.memory(), pointer, n);
  }

  submit({ label, commands }) {
    this.#check();
    const encoder = this.device.createCommandEncoder({ label });
    let pass = null;
    for (const c of commands) {
      if (typeof c[1] === 'number') { // from, offset, to, offset, size
        pass?.end();
        pass = null;
        encoder.copyBufferToBuffer(...c);
        continue;
      }
      pass ??= encoder.beginComputePass({ label });
      pass.setPipeline(c[0].pipeline);
      pass.setBindGroup(0, c[1]);
      pass.dispatchWorkgroups(c[2], c[3], c[4]);
    }
    pass?.end();
    this.device.queue.submit([encoder.finish()]);
  }

  async done() {
    this.#check();
    // Asking within a scope also waits until errors of before have been told.
    this.device.pushErrorScope('validation');
    const told = this.device.popErrorScope().catch(() => {});
    await this.device.queue.onSubmittedWorkDone().catch(() => {});
    await told;
    this.#check();
  }

  /** Bytes of a buffer, to be put into Go's memory. */
  async read(buffer, offset, n) {
    this.#check();
    const at = this.#staging.findIndex((b) => b.size >= n);
    const staging = at >= 0 ? this.#staging.splice(at, 1)[0]
      : this.device.createBuffer({ label: 'staging', size: Math.ceil(n / 65536) * 65536, usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST });
    const encoder = this.device.createCommandEncoder({ label: 'read' });
    encoder.copyBufferToBuffer(buffer, offset, staging, 0, n);
    this.device.queue.submit([encoder.finish()]);
    try {
      await staging.mapAsync(GPUMapMode.READ, 0, n);
    } catch (error) {
      staging.destroy();
      await this.done();
      throw failure('lost', 'read', error.message);
    }
    this.#check();
    return {
      into: (pointer) => {
        new Uint8Array(this.memory(), pointer, n).set(new Uint8Array(staging.getMappedRange(0, n)));
        staging.unmap();
        if (this.#staging.length < 2) this.#staging.push(staging);
        else staging.destroy();
      },
    };
  }

  close() {
    this.device.destroy();
  }
}
