// The browser builds of @microsoft/signalr and its MessagePack protocol, used in a page of headless Chromium.

/** Paths of both scripts; the second needs the first. */
export const scripts = [
  '@microsoft/signalr/dist/browser/signalr.js',
  '@microsoft/signalr-protocol-msgpack/dist/browser/signalr-protocol-msgpack.js',
].map((file) => new URL(`node_modules/${file}`, import.meta.url));

/** Runs 1,000 lines on a server with --synthetic and prints how many events came, in each protocol. */
export async function watchInBothProtocols(page, server) {
  for (const protocol of ['json', 'messagepack']) {
    const count = await page.evaluate(async ([server, protocol]) => {
      const builder = new signalR.HubConnectionBuilder().withUrl(`${server}/hub`);
      if (protocol === 'messagepack') {
        builder.withHubProtocol(new signalR.protocols.msgpack.MessagePackHubProtocol());
      }
      const hub = builder.build();
      await hub.start();
      const { id } = await hub.invoke('Execute', { kind: 'synthetic', data: { lines: 1000 } });
      let count = 0;
      await new Promise((resolve, reject) => hub.stream('Watch', id, 0).subscribe({
        next: ({ events }) => { count += events.length; }, complete: resolve, error: reject,
      }));
      await hub.stop();
      return count;
    }, [server, protocol]);
    console.log(`${protocol}: ${count} events`);
  }
}
