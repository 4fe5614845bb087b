// The reference server as it is measured: ws-server.ts with one channel, on 127.0.0.1.
//
//     node reference.js PORT CONNECTIONS
import { createServer } from "node:http";
import { Channel } from "./channel.js";
import { WebSocketServer } from "./ws-server.js";

const [port, connections] = process.argv.slice(2).map(Number);

// ws-server.ts logs each connection, subscription and broadcast. The logs of the other servers are
// off, so this one's are too.
console.log = () => {};

const echo = new Channel("echo:<name>");
echo.on("say", (context, payload) => context.broadcast("said", payload));
echo.on("echo", (context, payload) => context.send("echoed", payload));

const listener = createServer();
new WebSocketServer(connections).registerChannel(echo).start(listener);
listener.listen({ host: "127.0.0.1", port, backlog: 4096 });
