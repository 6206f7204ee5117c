/** Whether an address is on another host, whose scripts are no workers here. */
export const foreign = (url) => Boolean(globalThis.location) && url.origin !== location.origin && url.protocol.startsWith('http');

/** A worker's address, by way of this page if it is on another host. */
export function reachable(url) {
  if (!foreign(url)) return url;
  return URL.createObjectURL(new Blob([`import ${JSON.stringify(url.href)}`], { type: 'text/javascript' }));
}
