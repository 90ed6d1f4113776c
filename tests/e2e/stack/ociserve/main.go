// Command ociserve is an OCI registry in memory (go-containerregistry's), with or without the referrers API.
//
// Each request is one line of standard error, which tests count.
package main

import (
	"bytes"
	"encoding/json"
	"flag"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"

	"github.com/google/go-containerregistry/pkg/registry"
)

// A manifest beyond this is refused by registries too.
const manifestLimit = 8 << 20

func main() {
	addr := flag.String("addr", "127.0.0.1:0", "listen address")
	referrers := flag.Bool("referrers", true, "serve the referrers API")
	disk := flag.String("disk", "", "directory for blobs (manifests stay in memory)")
	certificate := flag.String("tls-cert", "", "certificate file: serve TLS")
	key := flag.String("tls-key", "", "key file of -tls-cert")
	flag.Parse()

	options := []registry.Option{
		registry.WithReferrersSupport(*referrers),
		registry.Logger(log.New(os.Stderr, "", log.LstdFlags)),
	}
	if *disk != "" {
		options = append(options, registry.WithBlobHandler(registry.NewDiskBlobHandler(*disk)))
	}
	handler := registry.New(options...)
	if *referrers {
		handler = conform(handler)
	}
	listener, err := net.Listen("tcp", *addr)
	if err != nil {
		log.Fatal(err)
	}
	log.Print("listening on ", listener.Addr())
	if *certificate != "" {
		log.Fatal(http.ServeTLS(listener, handler, *certificate, *key))
	}
	log.Fatal(http.Serve(listener, handler))
}

// conform adds what OCI distribution 1.1 wants of a registry with the referrers API and pkg/registry v0.22.1 leaves
// out: the OCI-Subject header on a manifest's PUT, the manifest's own artifactType in referrers, the filter by it.
func conform(inner http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.Method == http.MethodPut && strings.Contains(r.URL.Path, "/manifests/"):
			if !nameSubject(w, r) {
				return
			}
		case r.Method == http.MethodGet && strings.Contains(r.URL.Path, "/referrers/"):
			listReferrers(inner, w, r)
			return
		}
		inner.ServeHTTP(w, r)
	})
}

// nameSubject sets OCI-Subject from the manifest in the request, whose body can still be read afterwards.
func nameSubject(w http.ResponseWriter, r *http.Request) bool {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, manifestLimit))
	if err != nil {
		http.Error(w, err.Error(), http.StatusRequestEntityTooLarge)
		return false
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	var manifest struct{ Subject struct{ Digest string } }
	if json.Unmarshal(body, &manifest) == nil && manifest.Subject.Digest != "" {
		w.Header().Set("OCI-Subject", manifest.Subject.Digest)
	}
	return true
}

// listReferrers answers like the registry behind it, with artifactType corrected and the filter applied.
func listReferrers(inner http.Handler, w http.ResponseWriter, r *http.Request) {
	answer := get(inner, r.URL.Path)
	var index struct {
		SchemaVersion int              `json:"schemaVersion"`
		MediaType     string           `json:"mediaType"`
		Manifests     []map[string]any `json:"manifests"`
	}
	if answer.Code != http.StatusOK || json.Unmarshal(answer.Body.Bytes(), &index) != nil {
		w.WriteHeader(answer.Code)
		w.Write(answer.Body.Bytes())
		return
	}
	repository := r.URL.Path[:strings.Index(r.URL.Path, "/referrers/")]
	wanted, kept := r.URL.Query().Get("artifactType"), []map[string]any{}
	for _, descriptor := range index.Manifests {
		digest, _ := descriptor["digest"].(string)
		var manifest struct{ ArtifactType string }
		if json.Unmarshal(get(inner, repository+"/manifests/"+digest).Body.Bytes(), &manifest) == nil && manifest.ArtifactType != "" {
			descriptor["artifactType"] = manifest.ArtifactType
		}
		if wanted == "" || descriptor["artifactType"] == wanted {
			kept = append(kept, descriptor)
		}
	}
	index.Manifests = kept
	if wanted != "" {
		w.Header().Set("OCI-Filters-Applied", "artifactType")
	}
	w.Header().Set("Content-Type", "application/vnd.oci.image.index.v1+json")
	json.NewEncoder(w).Encode(index)
}

func get(handler http.Handler, path string) *httptest.ResponseRecorder {
	recorder := httptest.NewRecorder()
	handler.ServeHTTP(recorder, httptest.NewRequest(http.MethodGet, path, nil))
	return recorder
}
