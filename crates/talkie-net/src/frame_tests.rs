use super::*;

/// One length byte, then that many bytes; 255 is not allowed.
fn framer(bytes: &[u8]) -> Result<Option<usize>, BadFrame> {
    match bytes.first() {
        Some(255) => Err(BadFrame),
        Some(length) => Ok(Some(usize::from(*length) + 1)),
        None => Ok(None),
    }
}

fn frames(mut chunk: Chunk) -> Vec<Vec<u8>> {
    let mut list = Vec::new();
    while let Some((buffer, start, end)) = chunk.next_frame() {
        assert!(start >= HEADROOM);
        list.push(buffer[start..end].to_vec());
    }
    list
}

#[tokio::test]
async fn frames_split_anywhere_come_out_whole() {
    let wire = [3, 1, 2, 3, 1, 9, 2, 7, 7];
    for cut in 1..wire.len() {
        let mut stream = tokio_test_stream(&wire, cut);
        let mut reader = FrameReader::new(framer);
        let mut got = Vec::new();
        loop {
            match reader.next(&mut stream).await {
                Ok(chunk) => got.extend(frames(chunk)),
                Err(ReadError::Closed) => break,
                Err(error) => panic!("{error}"),
            }
        }
        assert_eq!(got, [&wire[..4], &wire[4..6], &wire[6..]], "cut at {cut}");
    }
}

#[tokio::test]
async fn frames_before_a_bad_one_are_delivered() {
    let mut stream: &[u8] = &[1, 5, 255, 1, 5];
    let mut reader = FrameReader::new(framer);
    assert_eq!(frames(reader.next(&mut stream).await.unwrap()), [[1, 5]]);
    assert!(matches!(reader.next(&mut stream).await, Err(ReadError::BadFrame(_))));
}

#[tokio::test]
async fn a_frame_longer_than_the_stream_never_comes_out() {
    let mut stream: &[u8] = &[9, 1, 2, 3];
    let mut reader = FrameReader::new(framer);
    assert!(matches!(reader.next(&mut stream).await, Err(ReadError::Closed)));
}

#[tokio::test]
async fn an_impossible_length_is_refused_before_it_is_buffered() {
    let huge: Framer = |_| Ok(Some(LARGEST_FRAME + 1));
    let mut stream: &[u8] = &[0];
    assert!(matches!(FrameReader::new(huge).next(&mut stream).await, Err(ReadError::BadFrame(_))));
    let empty: Framer = |_| Ok(Some(0));
    assert!(FrameReader::new(empty).next(&mut stream).await.is_err());
}

fn tokio_test_stream(wire: &[u8], cut: usize) -> impl AsyncRead + Unpin + use<> {
    let (first, second) = wire.split_at(cut);
    io::Cursor::new(first.to_vec()).chain(io::Cursor::new(second.to_vec()))
}
