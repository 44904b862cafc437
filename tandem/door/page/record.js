// The microphone as a WAV file: 16-bit samples, one channel, as every speech service takes it.
const SAMPLE_BYTES = 2, HEAD_BYTES = 44;

export async function record() {
  const stream = await navigator.mediaDevices.getUserMedia({ audio: true });
  const context = new AudioContext();
  await context.audioWorklet.addModule("/page/tap.js");
  const tap = new AudioWorkletNode(context, "tap");
  const pieces = [];
  tap.port.onmessage = (event) => pieces.push(event.data);
  context.createMediaStreamSource(stream).connect(tap);
  return () => {
    for (const track of stream.getTracks()) track.stop();
    context.close();
    return wav(pieces, context.sampleRate);
  };
}

function wav(pieces, rate) {
  const count = pieces.reduce((sum, piece) => sum + piece.length, 0);
  const view = new DataView(new ArrayBuffer(HEAD_BYTES + count * SAMPLE_BYTES));
  const text = (at, letters) => [...letters].forEach((letter, i) => view.setUint8(at + i, letter.charCodeAt(0)));
  text(0, "RIFF"); view.setUint32(4, HEAD_BYTES - 8 + count * SAMPLE_BYTES, true); text(8, "WAVEfmt ");
  view.setUint32(16, 16, true); view.setUint16(20, 1, true); view.setUint16(22, 1, true); view.setUint32(24, rate, true);
  view.setUint32(28, rate * SAMPLE_BYTES, true); view.setUint16(32, SAMPLE_BYTES, true); view.setUint16(34, 8 * SAMPLE_BYTES, true);
  text(36, "data"); view.setUint32(40, count * SAMPLE_BYTES, true);
  let at = HEAD_BYTES;
  for (const piece of pieces) for (const sample of piece) {
    view.setInt16(at, Math.max(-1, Math.min(1, sample)) * 0x7fff, true);
    at += SAMPLE_BYTES;
  }
  return new Blob([view.buffer], { type: "audio/wav" });
}
