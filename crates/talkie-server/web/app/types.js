/**
 * The shapes that modules hand to each other. Types only: nothing here runs.
 * @module
 */

/** @typedef {'mic'|'camera'|'screen'|'screenAudio'} Slot */
/** @typedef {'direct'|'nat'|'relay'} PathKind */
/** @typedef {'udp'|'tcp'|'tls'} RelayTransport */

/**
 * How packets get from here to a peer, as the selected candidate pair tells it.
 * `via` is the leg to our own relay; null when the other side's relay is the one in use.
 * @typedef {{kind: PathKind, via: RelayTransport|null, rtt: number|null}} PeerPath
 */

/** @typedef {'connecting'|'connected'|'reconnecting'|'failed'|'cut'|'refused'} Phase `cut`: we ended it, because the peer flooded us; `refused`: the server touched what the peer sent */

/**
 * @typedef {object} PeerView what the page shows of a peer
 * @property {string} key stable for the life of the tile, whatever the server calls the peer
 * @property {string} id the peer's current id in the room
 * @property {string} name
 * @property {Phase} phase
 * @property {boolean} mic
 * @property {boolean} camera
 * @property {boolean} screen
 * @property {number|null} hand when it went up, by our clock
 * @property {boolean} recording
 * @property {boolean} held the peer has put the call on hold
 * @property {PeerPath|null} path
 * @property {number|null} quality 0 (bad) to 4 bars, see stats/quality.js; null: not known
 * @property {string|null} safety the safety number, null while there is none
 * @property {boolean} verified a person compared the number and found it the same
 * @property {boolean} doubted a person compared the number and found another
 * @property {boolean} tampered the server changed, repeated or kept what the peer sent
 */

/** @typedef {'refused'|'system'|'missing'|'busy'|'insecure'|'unsupported'|'failed'} MediaProblem */
/** @typedef {'on'|'off'|'none'} DeviceState `none`: there is no track to switch on */

/**
 * @typedef {object} MediaView
 * @property {DeviceState} mic
 * @property {DeviceState} camera
 * @property {boolean} screen
 * @property {boolean} pending a permission prompt may be open
 * @property {{mic?: MediaProblem, camera?: MediaProblem}} problems
 * @property {string} micId of the device in use
 * @property {string} cameraId
 */

/**
 * @typedef {object} ChatMessage
 * @property {number} key unique in this page
 * @property {string} id the writer's own
 * @property {string|null} from key of the peer; null: ours; '': somebody, as `told` has it
 * @property {string} name
 * @property {string} text
 * @property {number} at
 * @property {string|null} told who told us, when it was not the writer
 */

/** A reaction over a tile; `peer` is `self` for ours. @typedef {{id: number, peer: string, name: string, emoji: string}} ReactionView */

/** Words that go with what somebody says. Nothing here writes them: a feature that does sets `captions`. @typedef {{id: string, name: string, text: string}} Caption */

/** @typedef {'offered'|'waiting'|'active'|'interrupted'|'done'|'declined'|'cancelled'|'failed'} TransferState */

/** Where received files go, see files/sinks/sink.js. @typedef {'file'|'folder'|'download'|'kept'|'small'|'none'} SavePlace */

/**
 * @typedef {object} TransferView one offer, of one file or many, to or from one peer
 * @property {string} id
 * @property {string} group transfers of what was sent to several share it
 * @property {'in'|'out'} direction
 * @property {string} peer key of the peer
 * @property {string} peerName
 * @property {string} name of the file, of the folder, or of the first of many
 * @property {boolean} folder
 * @property {string} mime
 * @property {number} size
 * @property {number} count of files
 * @property {readonly {path: string, size: number}[]} files the first hundred
 * @property {SavePlace|null} place null: it is ours
 * @property {TransferState} state
 * @property {number} bytes
 * @property {number} rate bytes per second
 * @property {number} current the file that the next byte belongs to
 * @property {string} currentName
 * @property {'us'|'them'|null} paused by whom
 * @property {boolean} stalled nothing has moved for a while
 * @property {boolean|null} verified null: could not be checked
 * @property {string|null} reason why it failed or was cancelled, a key of strings.transferReasons
 * @property {string|null} url of the received file, to be saved
 * @property {string} saveAs its name
 */

/** What the server says before we join; `key` null: nothing yet. `problem`: why it says nothing, a key of strings.errors.
 * @typedef {{key: 'new'|'match'|'mismatch'|null, people: number, locked: boolean, problem: string|null}} DoorView */

/** Somebody who asks to be let in. @typedef {{id: string, name: string, trusted: boolean}} Knock */

/** @typedef {'chat'|'files'|'people'|'connection'} PanelName the panel of the room that is open; each has a `title` in the strings */

/** @typedef {{id: number, kind: 'info'|'good'|'bad', text: string}} Toast */

/** @typedef {'idle'|'connecting'|'open'|'waiting'|'ended'} SignalingStatus */

/**
 * @typedef {object} Options what the address asks for
 * @property {boolean} join
 * @property {boolean} relay
 * @property {boolean} nomedia
 * @property {RelayTransport|null} transport
 * @property {string|null} name
 */

/**
 * How others are to be invited, as the server says it (docs/signaling.md, `welcome`). `origin` null: the
 * page's own will do, or nothing better is known.
 * @typedef {{origin: string|null, selfSigned: boolean}} Invitation
 */

/**
 * @typedef {object} State
 * @property {'home'|'lobby'|'room'|'left'|'page'} view
 * @property {string} room
 * @property {string|null} key
 * @property {boolean} brokenKey the address has a key that cannot be one
 * @property {DoorView|null} door
 * @property {string} name
 * @property {string|null} selfId
 * @property {Options} options
 * @property {MediaView} media
 * @property {SignalingStatus} signaling
 * @property {boolean} online
 * @property {boolean} unreachable the page is the one that was kept, because the server did not answer
 * @property {string|null} notice code of what keeps us from the room, a key of strings.errors
 * @property {boolean} draining
 * @property {boolean} waiting we have knocked
 * @property {boolean} locked
 * @property {readonly Knock[]} knocks
 * @property {Invitation|null} invitation null: not yet known
 * @property {boolean} held we have put the call on hold
 * @property {boolean} soundBlocked
 * @property {readonly PeerView[]} peers
 * @property {readonly ChatMessage[]} chat
 * @property {number} unread
 * @property {readonly string[]} typing keys of the peers that write a message
 * @property {number|null} hand when ours went up
 * @property {readonly ReactionView[]} reactions
 * @property {readonly string[]} speaking keys of the peers that are heard
 * @property {string|null} speaker key of the active speaker; the last one while nobody speaks
 * @property {string|null} pinned id of the tile that is kept large
 * @property {readonly Caption[]} captions shown over the stage, the newest last
 * @property {{since: number}|null} recording our own, by performance.now()
 * @property {number|null} roomPeers how many the room holds; null: not yet known
 * @property {readonly TransferView[]} transfers
 * @property {PanelName|null} panel
 * @property {string|null} watched key of the peer whose connection the panel shows
 * @property {readonly Toast[]} toasts
 */

export {};
