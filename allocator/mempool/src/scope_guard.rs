//! The RAII face of a scope: opened by `Pool::scope`, ended by dropping it.
//!
//! Belongs to the thread that opened it and cannot leave it. Scopes nest: a block belongs to the
//! innermost scope open in its thread when it is allocated. Scopes may end in any order. A scope
//! that is leaked stays open until its thread ends; its blocks are then the program's again.
//! A scope opened while the thread's own destructors run has no record and frees nothing.

use crate::pool::Pool;
use std::marker::PhantomData;

/// Frees at its end what its thread allocated from its pool since it was opened.
#[must_use = "a scope ends, and frees, when it is dropped"]
pub struct Scope<'pool> {
    pool: &'pool Pool,
    id: Option<u64>,
    /// Keeps the scope on the thread whose blocks it records.
    thread_bound: PhantomData<*mut ()>,
}

impl<'pool> Scope<'pool> {
    pub(crate) fn new(pool: &'pool Pool, id: Option<u64>) -> Scope<'pool> {
        Scope { pool, id, thread_bound: PhantomData }
    }
}

impl Drop for Scope<'_> {
    fn drop(&mut self) {
        if let Some(id) = self.id {
            self.pool.end_scope(id);
        }
    }
}
