package devices

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/i2sb-go/i2sb/runtime/internal/device"
	"github.com/i2sb-go/i2sb/runtime/internal/gpu"
	"github.com/i2sb-go/i2sb/runtime/internal/gpu/driver"
)

// openGPU opens "gpu", the first real adapter or else the first, or "gpu:N".
func openGPU(name string) (device.Device, error) {
	d, err := driver.Open()
	if err != nil {
		return nil, err
	}
	as, err := d.Adapters(context.Background())
	if err != nil {
		d.Close()
		return nil, err
	}
	chosen := -1
	if n, ok := strings.CutPrefix(name, "gpu:"); ok {
		if i, err := strconv.Atoi(n); err == nil && i >= 0 && i < len(as) {
			chosen = i
		}
	} else {
		for i, a := range as {
			if chosen < 0 || as[chosen].Software && !a.Software {
				chosen = i
			}
		}
	}
	if chosen < 0 {
		d.Close()
		return nil, fmt.Errorf("there are %d GPU adapters", len(as))
	}
	h, err := d.Device(context.Background(), chosen, driver.Want{Limits: as[chosen].Limits, Features: as[chosen].Features})
	if err != nil {
		d.Close()
		return nil, err
	}
	return gpu.New(h, as[chosen], gpu.Options{}, d.Close), nil
}
