// ws for Node.js as a room server: each message is framed once and written to everybody.
// usage: node node.js PORT
const { WebSocketServer, Sender } = require(process.env.WS_MODULE || 'ws')

const server = new WebSocketServer({ port: Number(process.argv[2]), host: '127.0.0.1', perMessageDeflate: false })
const named = new Map()

server.on('connection', socket => {
  socket.on('message', data => {
    if (data[0] === 0x55) {
      named.set(parseInt(data.toString('latin1', 1)), socket)
    } else if (data[0] === 0x52) {
      named.get(parseInt(data.toString('latin1', 1, 12)))?.send(data, { binary: false })
    } else {
      const frame = Sender.frame(data, { fin: true, rsv1: false, opcode: 1, mask: false, readOnly: true })
      for (const member of server.clients) {
        for (const part of frame) member._socket.write(part)
      }
    }
  })
  socket.on('error', () => {})
})
