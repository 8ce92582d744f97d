const POLYNOMIAL = 0x1021;

/** What each byte does to a checksum whose high byte it was. */
const TABLE = Uint16Array.from({ length: 256 }, (_, byte) => {
  let crc = byte << 8;
  for (let bit = 0; bit < 8; bit += 1) {
    crc = (crc & 0x8000) === 0 ? crc << 1 : (crc << 1) ^ POLYNOMIAL;
  }
  return crc;
});

/** CRC-16/CCITT-FALSE of the bytes from `start` up to `end`; of "123456789" it is 0x29b1. */
export function crc16(bytes: Uint8Array, start: number, end: number): number {
  let crc = 0xffff;
  for (let at = start; at < end; at += 1) {
    crc = ((crc << 8) & 0xffff) ^ (TABLE[(crc >> 8) ^ (bytes[at] as number)] as number);
  }
  return crc;
}
