// Package runtime restores pictures with I²SB networks (Liu et al., ICML
// 2023): open a weight pack, restore images, close it.
//
//	m, err := runtime.Open(ctx, runtime.Default())
//	if err != nil {
//		return err
//	}
//	defer m.Close()
//	result, err := m.Restore(ctx, img, runtime.WithTask("jpeg"))
//
// A Model may be used by several goroutines. Evaluations of the network run
// one after another, each on all of the device; the pictures' own states are
// separate, so results do not depend on what runs beside them. The same seed
// gives the same picture for every number of threads.
//
// Contexts are checked between operators, so a cancelled call returns within
// a fraction of a step. Nothing is logged unless WithLogger is given.
package runtime
