//! What boxes and links are called by.

use std::fmt;
use std::marker::PhantomData;

/// A box of a network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeId(pub(super) u32);

/// A host whose machine is an `M`.
pub struct Host<M>(pub(super) u32, pub(super) PhantomData<fn() -> M>);

/// A router, or the internet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Router(pub(super) u32);

/// A NAT.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct NatBox(pub(super) u32);

/// What others can be attached to: a router, or a NAT's inside.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Place(pub(super) u32);

/// A box's link to the place that it is attached to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Attachment(pub(super) u32);

impl NodeId {
    /// Boxes are counted from 0 as they are added.
    #[must_use]
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

#[cfg(test)]
impl NodeId {
    pub(crate) fn from_index(index: u32) -> Self {
        Self(index)
    }
}

impl<M> Clone for Host<M> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<M> Copy for Host<M> {}

impl<M> fmt::Debug for Host<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Host").field(&self.0).finish()
    }
}

impl From<Router> for Place {
    fn from(router: Router) -> Self {
        Self(router.0)
    }
}

impl From<NatBox> for Place {
    fn from(nat: NatBox) -> Self {
        Self(nat.0)
    }
}

impl<M> From<Host<M>> for NodeId {
    fn from(host: Host<M>) -> Self {
        Self(host.0)
    }
}

impl From<Router> for NodeId {
    fn from(router: Router) -> Self {
        Self(router.0)
    }
}

impl From<NatBox> for NodeId {
    fn from(nat: NatBox) -> Self {
        Self(nat.0)
    }
}
