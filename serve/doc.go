// Package serve turns a machine into an HTTP endpoint that restores pictures.
//
// One picture's way: its body is read at a pace that slow clients must keep, its
// size is held against the limits before a pixel is decoded, it waits in a
// queue that is bounded and fair between clients, a lane decodes it, the engine
// restores it, the lane encodes the result, and the result is sent. A lane
// decodes and encodes while the device works on another lane's picture. What
// waits is compressed, so that memory is bounded by Config.
package serve
