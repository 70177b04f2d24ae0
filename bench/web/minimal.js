// The least that makes a call between pages of one browser: a BroadcastChannel for signaling, one
// RTCPeerConnection for each other page, a video element for each. What the bench compares talkie with.
'use strict';

const self = crypto.randomUUID();
const channel = new BroadcastChannel('minimal');
const peers = new Map();
let stream;

function connect(id) {
  const pc = new RTCPeerConnection();
  peers.set(id, pc);
  for (const track of stream.getTracks()) pc.addTrack(track, stream);
  pc.onicecandidate = ({ candidate }) => send(id, { candidate: candidate && candidate.toJSON() });
  pc.ontrack = ({ streams: [remote] }) => {
    let video = document.getElementById(id);
    if (!video) {
      video = Object.assign(document.createElement('video'), { id, autoplay: true, playsInline: true });
      document.getElementById('others').append(video);
      video.requestVideoFrameCallback(() => (window.firstFrame ??= performance.now()));
    }
    video.srcObject = remote;
  };
  return pc;
}

const send = (to, message) => channel.postMessage({ from: self, to, ...message });

channel.onmessage = async ({ data: { from, to, hello, description, candidate } }) => {
  if (hello && stream) {
    const pc = connect(from);
    await pc.setLocalDescription();
    send(from, { description: pc.localDescription.toJSON() });
  }
  if (to !== self) return;
  if (description) {
    const pc = peers.get(from) ?? connect(from);
    await pc.setRemoteDescription(description);
    if (description.type === 'offer') {
      await pc.setLocalDescription();
      send(from, { description: pc.localDescription.toJSON() });
    }
  }
  if (candidate) await peers.get(from)?.addIceCandidate(candidate);
};

navigator.mediaDevices
  .getUserMedia({ audio: true, video: { width: { ideal: 1280 }, height: { ideal: 720 }, frameRate: { ideal: 30 } } })
  .then((opened) => {
    stream = opened;
    document.getElementById('own').srcObject = stream;
    channel.postMessage({ from: self, hello: true });
  });
