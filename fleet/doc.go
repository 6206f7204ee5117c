// Package fleet restores pictures on many machines that pull from a queue of
// NATS JetStream.
//
// A job is named by the hash of its picture and its parameters. Pictures lie
// in an object store, in files that all machines see, or at URLs. A worker
// takes one job at a time, says every few seconds that it is at work, puts the
// result into the object store, and then, once and for ever, its record into
// a key-value bucket: a result is there when its record is. Only then is the
// job acknowledged. A job whose worker is gone is given to another; one that
// cannot succeed goes to the dead letters.
package fleet
