/**
 * Takes apart what a socket brings: 4 bytes of length, and a message. Nothing is made for a message, and
 * nothing copied unless it came in pieces.
 * @param tally its `add` is called with the first 4 bytes, as a number, and the last of each message
 */
export function readFrames(socket, tally) {
  let pieces = []; // of a message that is not whole
  let have = 0;
  let need = 4;
  /** How many bytes of `data` belong to the message that began before; it may be whole then. */
  const complete = (data) => {
    let used = 0;
    while (have > 0 && used < data.length) {
      const piece = data.subarray(used, used + need - have);
      pieces.push(piece);
      have += piece.length;
      used += piece.length;
      if (have < need) break;
      const bytes = pieces.length === 1 ? pieces[0] : Buffer.concat(pieces, have);
      need = 4 + bytes.readUInt32BE(0);
      if (have === need) {
        tally.add(bytes.readUInt32LE(4), bytes[need - 1]);
        pieces = [];
        have = 0;
      } else pieces = [bytes];
    }
    return used;
  };
  socket.on('data', (data) => {
    let at = have > 0 ? complete(data) : 0;
    while (data.length - at >= 4) {
      const end = at + 4 + data.readUInt32BE(at);
      if (end > data.length) break;
      tally.add(data.readUInt32LE(at + 4), data[end - 1]);
      at = end;
    }
    if (at === data.length) return;
    pieces = [data.subarray(at)];
    have = data.length - at;
    need = have < 4 ? 4 : 4 + data.readUInt32BE(at);
  });
}
