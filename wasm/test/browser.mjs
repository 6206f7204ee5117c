// Debian's Chromium, driven by playwright-core.
import { chromium } from 'playwright-core';

const software = ['--enable-unsafe-webgpu', '--use-webgpu-adapter=swiftshader', '--enable-features=Vulkan', '--ignore-gpu-blocklist'];

/** Starts a browser; with webgpu it has SwiftShader's adapter, else none. */
export function launch({ webgpu = false, args = [] } = {}) {
  return chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    args: ['--no-sandbox', '--headless=new', ...(webgpu ? software : ['--disable-gpu', '--disable-features=WebGPU']), ...args],
  });
}
