// A server upon Socket.IO, with its rooms as topics, on 127.0.0.1.
//
//     node socket_io.mjs PORT
import { createServer } from "node:http";
import { Server } from "socket.io";

const port = Number(process.argv[2]);
const listener = createServer();
const io = new Server(listener, {
  transports: ["websocket"],
  serveClient: false,
  perMessageDeflate: false,
  httpCompression: false,
  maxHttpBufferSize: 1 << 24,
  pingInterval: 600_000,
  pingTimeout: 600_000,
});

io.on("connection", (socket) => {
  socket.on("subscribe", (topic, done) => {
    socket.join(topic);
    done();
  });
  socket.on("unsubscribe", (topic, done) => {
    socket.leave(topic);
    done();
  });
  socket.on("say", (topic, payload) => io.to(topic).emit("said", topic, payload));
  socket.on("echo", (topic, payload) => socket.emit("echoed", topic, payload));
});

listener.listen({ host: "127.0.0.1", port, backlog: 4096 });
