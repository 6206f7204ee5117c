package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/spf13/cobra"

	"github.com/i2sb-go/i2sb/wasm/site"
)

// webber serves or writes the browser's side.
type webber struct {
	*app
	addr        string
	isolated    bool
	out, module string
}

func (a *app) webCommand() *cobra.Command {
	w := &webber{app: a}
	c := &cobra.Command{
		Use:   "web",
		Short: "Serve the page that restores pictures in the browser",
		Long: "Serves the page, the module and the default pack; pictures stay in the browser. --out writes them into a\n" +
			"folder for a static host; --module writes only what is built of Go and C, beside the JavaScript of wasm/npm.",
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return w.run(c.Context()) },
	}
	f := c.Flags()
	f.StringVar(&w.addr, "addr", "127.0.0.1:8080", "address to listen at")
	f.BoolVar(&w.isolated, "isolated", false, "send COOP and COEP, so that the module may use several threads")
	f.StringVar(&w.out, "out", "", "write the whole site into this folder instead")
	f.StringVar(&w.module, "module", "", "write the built files into this folder instead")
	c.MarkFlagsMutuallyExclusive("out", "module")
	return c
}

func (w *webber) run(ctx context.Context) error {
	if w.module != "" {
		return site.Build(ctx, w.module)
	}
	files, err := site.Open(ctx)
	if err != nil {
		return err
	}
	if w.out != "" {
		return site.Write(files, w.out)
	}
	l, err := net.Listen("tcp", w.addr)
	if err != nil {
		return err
	}
	fmt.Fprintf(w.stdout, "http://%s/\n", l.Addr())
	s := &http.Server{Handler: site.Handler(files, w.isolated), ReadHeaderTimeout: 10 * time.Second}
	go func() {
		<-ctx.Done()
		s.Close()
	}()
	if err := s.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return ctx.Err()
}
