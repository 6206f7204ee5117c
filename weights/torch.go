package weights

import (
	"archive/zip"
	"encoding/binary"
	"fmt"
	"io"
	"path"
	"strings"
)

// storage is where a PyTorch storage lies in the file.
type storage struct {
	dtype DType
	key   string
	count int64 // elements
	at    int64 // offset of its first byte in torchFile.r, once known
	found bool
}

// tensor is a view of a storage.
type tensor struct {
	s          *storage
	offset     int64
	shape      []int
	stride     []int64
	contiguous bool
}

var storageTypes = map[string]DType{
	"FloatStorage": F32, "HalfStorage": F16, "BFloat16Storage": BF16, "DoubleStorage": F64,
	"LongStorage": I64, "IntStorage": I32, "CharStorage": I8, "ByteStorage": U8, "BoolStorage": Bool,
}

// torchFile is an opened .pt: its root object, whose tensors point into r.
type torchFile struct {
	r    io.ReaderAt
	size int64
	root any
}

// maxPickle is the size of a pickle that is read: the official checkpoint's
// has 150 KB.
const maxPickle = 64 << 20

// openTorch reads a file of torch.save, of the zip format or the older one.
func openTorch(r io.ReaderAt, size int64) (*torchFile, error) {
	var b [4]byte
	if size < 4 {
		return nil, fmt.Errorf("checkpoint: %d bytes are too few", size)
	}
	if _, err := r.ReadAt(b[:], 0); err != nil {
		return nil, fmt.Errorf("checkpoint: %w", err)
	}
	f := &torchFile{r: r, size: size}
	if string(b[:]) == "PK\x03\x04" {
		return f, f.zip()
	}
	if b[0] == 0x80 {
		return f, f.legacy()
	}
	return nil, fmt.Errorf("checkpoint: not a file of torch.save: it begins with %q", b[:])
}

// zip reads the format of PyTorch 1.6 and later: a zip of stored entries, one
// of them the pickle, one for each storage.
func (f *torchFile) zip() error {
	z, err := zip.NewReader(f.r, f.size)
	if err != nil {
		return fmt.Errorf("checkpoint: the zip is damaged or cut off: %w", err)
	}
	entries := map[string]*zip.File{}
	var pickle *zip.File
	for _, e := range z.File {
		entries[e.Name] = e
		if path.Base(e.Name) == "data.pkl" {
			pickle = e
		}
	}
	if pickle == nil {
		return fmt.Errorf("checkpoint: the zip holds no data.pkl")
	}
	dir := path.Dir(pickle.Name)
	if b := entries[dir+"/byteorder"]; b != nil && b.UncompressedSize64 == 3 {
		return fmt.Errorf("checkpoint: it was saved on a big-endian machine; save it again on another")
	}
	if pickle.Method != zip.Store || pickle.UncompressedSize64 > maxPickle {
		return fmt.Errorf("checkpoint: data.pkl is compressed or has more than %d bytes; save it again with torch.save", maxPickle)
	}
	p, err := pickle.Open()
	if err != nil {
		return fmt.Errorf("checkpoint: %w", err)
	}
	defer p.Close()
	persist := func(id any) (any, error) {
		s, err := newStorage(id)
		if err != nil {
			return nil, err
		}
		e := entries[dir+"/data/"+s.key]
		if e == nil || e.Method != zip.Store {
			return nil, fmt.Errorf("checkpoint: storage %q is missing or compressed", s.key)
		}
		if s.at, err = e.DataOffset(); err != nil {
			return nil, fmt.Errorf("checkpoint: storage %q: %w", s.key, err)
		}
		if int64(e.UncompressedSize64) < s.count*int64(s.dtype.Size()) {
			return nil, fmt.Errorf("checkpoint: storage %q has %d bytes for %d elements", s.key, e.UncompressedSize64, s.count)
		}
		s.found = true
		return s, f.inside(s)
	}
	f.root, _, err = unpickle(p, int64(pickle.UncompressedSize64), f.size, torchGlobal, persist)
	return err
}

// inside holds a storage against the size of the file.
func (f *torchFile) inside(s *storage) error {
	if s.at < 0 || s.at > f.size || s.count > (f.size-s.at)/int64(s.dtype.Size()) {
		return fmt.Errorf("checkpoint: storage %q reaches beyond the file; is it cut off?", s.key)
	}
	return nil
}

// legacyMagic is the first object of the older format, as unpickle gives it.
const legacyMagic = "119547037146038801333356"

// legacy reads the older format: five pickles (magic, protocol, system, root,
// storage keys), then the storages, each after its number of elements.
func (f *torchFile) legacy() error {
	at := int64(0)
	storages := map[string]*storage{}
	next := func() (any, error) {
		v, n, err := unpickle(io.NewSectionReader(f.r, at, f.size-at), min(f.size-at, maxPickle), f.size, torchGlobal, func(id any) (any, error) {
			s, err := newStorage(id)
			if err != nil {
				return nil, err
			}
			if old := storages[s.key]; old != nil {
				return old, nil
			}
			storages[s.key] = s
			return s, nil
		})
		at += n
		return v, err
	}
	if v, err := next(); err != nil || fmt.Sprint(v) != legacyMagic {
		return fmt.Errorf("checkpoint: not a file of torch.save (it is a pickle without PyTorch's mark)")
	}
	for range 2 { // protocol, system
		if _, err := next(); err != nil {
			return err
		}
	}
	var err error
	if f.root, err = next(); err != nil {
		return err
	}
	v, err := next()
	keys, ok := v.(*list)
	if err != nil || !ok {
		return fmt.Errorf("checkpoint: the list of storages is missing; is the file cut off?")
	}
	for _, k := range keys.items {
		key, _ := k.(string)
		s := storages[key]
		if s == nil || s.found {
			return fmt.Errorf("checkpoint: storage %q is not used or appears twice", key)
		}
		var b [8]byte
		if _, err := f.r.ReadAt(b[:], at); err != nil {
			return fmt.Errorf("checkpoint: storage %q: cut off", key)
		}
		if n := int64(binary.LittleEndian.Uint64(b[:])); n != s.count {
			return fmt.Errorf("checkpoint: storage %q has %d elements, %d are expected", key, n, s.count)
		}
		s.at, s.found = at+8, true
		if err := f.inside(s); err != nil {
			return err
		}
		at = s.at + s.count*int64(s.dtype.Size())
	}
	return nil
}

// newStorage reads a persistent id: ("storage", class, key, place, elements, …).
func newStorage(id any) (*storage, error) {
	t, ok := id.(tuple)
	if !ok || len(t) < 5 || t[0] != any("storage") {
		return nil, fmt.Errorf("checkpoint: a reference that is no storage")
	}
	class, ok1 := t[1].(*global)
	key, ok2 := t[2].(string)
	count, ok3 := t[4].(int64)
	if !ok1 || !ok2 || !ok3 || count < 0 {
		return nil, fmt.Errorf("checkpoint: a malformed reference to a storage")
	}
	d, ok := storageTypes[class.name[strings.LastIndexByte(class.name, '.')+1:]]
	if !ok {
		return nil, fmt.Errorf("checkpoint: storages of %s are not known", class.name)
	}
	return &storage{dtype: d, key: key, count: count}, nil
}

// torchGlobal is the table of what a checkpoint may name.
func torchGlobal(module, name string) (*global, error) {
	full := module + "." + name
	switch {
	case full == "torch._utils._rebuild_tensor_v2" || full == "torch._utils._rebuild_tensor":
		return &global{full, rebuildTensor}, nil
	case full == "torch._utils._rebuild_parameter":
		return &global{full, func(a tuple) (any, error) {
			if len(a) < 1 {
				return nil, fmt.Errorf("pickle: a parameter without a tensor")
			}
			return a[0], nil
		}}, nil
	case full == "collections.OrderedDict" || full == "collections.defaultdict":
		return &global{full, func(tuple) (any, error) { return &dict{}, nil }}, nil
	case full == "builtins.set" || full == "__builtin__.set":
		return &global{full, func(tuple) (any, error) { return &list{}, nil }}, nil
	case full == "argparse.Namespace" || full == "torch.device" || full == "torch.serialization._get_layout":
		return &global{full, func(a tuple) (any, error) { return &object{class: full, state: a}, nil }}, nil
	case full == "torch.Size":
		return &global{full, func(a tuple) (any, error) { return a, nil }}, nil
	case module == "pathlib" && strings.HasSuffix(name, "Path") || module == "pathlib._local" && strings.HasSuffix(name, "Path"):
		return &global{full, func(a tuple) (any, error) {
			parts := make([]string, 0, len(a))
			for _, p := range a {
				s, _ := p.(string)
				parts = append(parts, s)
			}
			return path.Join(parts...), nil
		}}, nil
	case module == "torch" && (storageTypes[name] != 0 || name == "FloatStorage"):
		return &global{full, nil}, nil
	case module == "torch" && dtypeNames[name]:
		return &global{full, nil}, nil
	}
	return nil, fmt.Errorf("pickle: it names %s, which no checkpoint needs; the file is refused and nothing of it was run", full)
}

var dtypeNames = map[string]bool{"float32": true, "float16": true, "bfloat16": true, "float64": true, "int64": true, "int32": true, "int8": true, "uint8": true, "bool": true}

// rebuildTensor is _rebuild_tensor_v2(storage, offset, size, stride, …).
func rebuildTensor(a tuple) (any, error) {
	bad := fmt.Errorf("pickle: a malformed tensor")
	if len(a) < 4 {
		return nil, bad
	}
	s, ok1 := a[0].(*storage)
	offset, ok2 := a[1].(int64)
	size, ok3 := a[2].(tuple)
	stride, ok4 := a[3].(tuple)
	if !ok1 || !ok2 || !ok3 || !ok4 || len(size) != len(stride) || len(size) > 8 || offset < 0 || offset > s.count {
		return nil, bad
	}
	t := &tensor{s: s, offset: offset, contiguous: true}
	last, step := offset, int64(1)
	for i := len(size) - 1; i >= 0; i-- {
		n, ok1 := size[i].(int64)
		d, ok2 := stride[i].(int64)
		if !ok1 || !ok2 || n < 0 || d < 0 || n > 1<<31 || d > 1<<40 {
			return nil, bad
		}
		if n > 1 && d != step {
			t.contiguous = false
		}
		step *= max(n, 1)
		if step > 1<<40 {
			return nil, bad
		}
		last += (n - 1) * d
		t.shape = append([]int{int(n)}, t.shape...)
		t.stride = append([]int64{d}, t.stride...)
	}
	n, err := elements(t.shape, s.count)
	if err != nil || (n > 0 && last >= s.count) {
		return nil, fmt.Errorf("pickle: a tensor of %v reaches beyond its storage of %d elements", size, s.count)
	}
	return t, nil
}

// readF32 decodes a tensor into dst, in row-major order.
func (f *torchFile) readF32(t *tensor, dst []float32) error {
	if len(dst) == 0 {
		return nil
	}
	if !t.s.found {
		return fmt.Errorf("checkpoint: storage %q is missing", t.s.key)
	}
	size := int64(t.s.dtype.Size())
	if t.contiguous {
		raw := make([]byte, int64(len(dst))*size)
		if _, err := f.r.ReadAt(raw, t.s.at+t.offset*size); err != nil {
			return fmt.Errorf("checkpoint: storage %q: %w", t.s.key, err)
		}
		decode(t.s.dtype, raw, dst)
		return nil
	}
	all := make([]byte, t.s.count*size)
	if _, err := f.r.ReadAt(all, t.s.at); err != nil {
		return fmt.Errorf("checkpoint: storage %q: %w", t.s.key, err)
	}
	at := make([]int, len(t.shape))
	for i := range dst {
		e := t.offset
		for d, k := range at {
			e += int64(k) * t.stride[d]
		}
		decode(t.s.dtype, all[e*size:(e+1)*size], dst[i:i+1])
		for d := len(at) - 1; d >= 0; d-- {
			if at[d]++; at[d] < t.shape[d] {
				break
			}
			at[d] = 0
		}
	}
	return nil
}
