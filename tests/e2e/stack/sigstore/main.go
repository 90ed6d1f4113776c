// Command ctlog is a certificate transparency log (RFC 6962) in one process, for a Fulcio of tests: Trillian with its
// storage in memory, and the CT personality before it. What it logged is gone with it; the signed certificate
// timestamps that it gave are not, since nobody asks a log about those.
package main

import (
	"context"
	"encoding/pem"
	"flag"
	"log"
	"net/http"
	"os"
	"time"

	"github.com/google/certificate-transparency-go/trillian/ctfe"
	"github.com/google/certificate-transparency-go/trillian/ctfe/configpb"
	"github.com/google/trillian"
	"github.com/google/trillian/crypto/keys"
	"github.com/google/trillian/crypto/keys/der"
	"github.com/google/trillian/crypto/keyspb"
	"github.com/google/trillian/extension"
	"github.com/google/trillian/monitoring"
	"github.com/google/trillian/quota"
	"github.com/google/trillian/storage/memory"
	"github.com/google/trillian/testonly/integration"
	"google.golang.org/protobuf/types/known/anypb"
	"google.golang.org/protobuf/types/known/durationpb"
)

func main() {
	addr := flag.String("addr", "", "listen address")
	prefix := flag.String("prefix", "test", "path below which the log answers")
	roots := flag.String("roots", "", "PEM file of the CA certificates whose certificates are logged")
	key := flag.String("key", "", "PEM file of the log's private key")
	flag.Parse()

	env, tree, err := startTrillian(context.Background())
	if err != nil {
		log.Fatal(err)
	}
	text, err := os.ReadFile(*key)
	if err != nil {
		log.Fatal(err)
	}
	block, _ := pem.Decode(text)
	if block == nil {
		log.Fatal(*key, " is not PEM")
	}
	signer, err := anypb.New(&keyspb.PrivateKey{Der: block.Bytes})
	if err != nil {
		log.Fatal(err)
	}
	keys.RegisterHandler(&keyspb.PrivateKey{}, der.FromProto)
	config, err := ctfe.ValidateLogConfig(&configpb.LogConfig{
		LogId: tree, Prefix: *prefix, RootsPemFile: []string{*roots}, PrivateKey: signer,
		ExtKeyUsages: []string{"CodeSigning"}, MaxMergeDelaySec: 86400, ExpectedMergeDelaySec: 120,
	})
	if err != nil {
		log.Fatal(err)
	}
	instance, err := ctfe.SetUpInstance(context.Background(), ctfe.InstanceOptions{
		Validated: config, Client: env.Log, Deadline: 10 * time.Second,
		MetricFactory: monitoring.InertMetricFactory{}, RequestLog: new(ctfe.DefaultRequestLog),
	})
	if err != nil {
		log.Fatal(err)
	}
	mux := http.NewServeMux()
	for path, handler := range instance.Handlers {
		mux.Handle(path, handler)
	}
	// Rekor v1 can have its tree in the same Trillian.
	log.Printf("listening on %s; Trillian at %s", *addr, env.Address)
	log.Fatal(http.ListenAndServe(*addr, mux))
}

// startTrillian gives a log server with storage in memory and the identifier of one empty tree.
func startTrillian(ctx context.Context) (*integration.LogEnv, int64, error) {
	storage := memory.NewTreeStorage()
	metrics := monitoring.InertMetricFactory{}
	env, err := integration.NewLogEnvWithRegistry(ctx, 1, extension.Registry{
		AdminStorage:  memory.NewAdminStorage(storage),
		LogStorage:    memory.NewLogStorage(storage, metrics),
		QuotaManager:  quota.Noop(),
		MetricFactory: metrics,
	})
	if err != nil {
		return nil, 0, err
	}
	tree, err := env.Admin.CreateTree(ctx, &trillian.CreateTreeRequest{Tree: &trillian.Tree{
		TreeState: trillian.TreeState_ACTIVE, TreeType: trillian.TreeType_LOG, MaxRootDuration: durationpb.New(0),
	}})
	if err != nil {
		return nil, 0, err
	}
	_, err = env.Log.InitLog(ctx, &trillian.InitLogRequest{LogId: tree.TreeId})
	return env, tree.TreeId, err
}
