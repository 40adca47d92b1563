/** packages-relay.ts ADDRESS SOCKET: connections to a port of this network namespace lead to a unix socket; prints the port. */
import { type AddressInfo, connect, createServer } from "node:net";

const [address, socket = ""] = process.argv.slice(2);
const server = createServer((client) => {
  const upstream = connect(socket);
  client.pipe(upstream).pipe(client);
  client.on("error", () => upstream.destroy()); // either end may go away: the other then does
  upstream.on("error", () => client.destroy());
});
server.listen(0, address, () => console.log((server.address() as AddressInfo).port));
