// Puts objects with every checksum that minio-go knows, as trailers, and gets them back.
//
// Usage: minio-go URL BUCKET, with the pair in AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, and what to trust in
// SSL_CERT_FILE. Writes a line of JSON for each object, which the test holds against what another client sees.
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand"
	"net/url"
	"os"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"
)

const part = 5 << 20

var algorithms = map[string]minio.ChecksumType{
	"CRC32":     minio.ChecksumCRC32,
	"CRC32C":    minio.ChecksumCRC32C,
	"CRC64NVME": minio.ChecksumCRC64NVME,
	"SHA1":      minio.ChecksumSHA1,
	"SHA256":    minio.ChecksumSHA256,
	"SHA512":    minio.ChecksumSHA512,
	"MD5":       minio.ChecksumMD5,
	"XXHASH64":  minio.ChecksumXXHash64,
	"XXHASH3":   minio.ChecksumXXHash3,
	"XXHASH128": minio.ChecksumXXHash128,
}

// object is one of the objects to put: its size, and whether the client is told it before.
type object struct {
	name  string
	size  int
	known bool
}

var objects = []object{
	{"small", 5, true},
	{"chunks", 200_000, true},
	{"parts", part + 1000, true},
	{"stream", part + 1000, false},
}

// seen is what the program says of an object.
type seen struct {
	Key, Algorithm, Checksum, Mode, ETag string
	Size                                 int64
}

func main() {
	if err := run(os.Args[1], os.Args[2]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(endpoint, bucket string) error {
	at, err := url.Parse(endpoint)
	if err != nil {
		return err
	}
	client, err := minio.New(at.Host, &minio.Options{
		Creds:           credentials.NewEnvAWS(),
		Secure:          at.Scheme == "https",
		TrailingHeaders: true,
	})
	if err != nil {
		return err
	}
	said := json.NewEncoder(os.Stdout)
	for name, algorithm := range algorithms {
		for _, each := range objects {
			key := each.name + "/" + name
			found, err := there_and_back(client, bucket, key, each, algorithm)
			if err != nil {
				return fmt.Errorf("%s: %w", key, err)
			}
			found.Algorithm = name
			if err := said.Encode(found); err != nil {
				return err
			}
		}
	}
	return nil
}

// there_and_back puts an object, reads it, and tells what the client was told of it.
func there_and_back(
	client *minio.Client, bucket, key string, wanted object, algorithm minio.ChecksumType,
) (*seen, error) {
	ctx := context.Background()
	sent := make([]byte, wanted.size)
	rand.New(rand.NewSource(int64(wanted.size))).Read(sent)
	size := int64(-1)
	if wanted.known {
		size = int64(wanted.size)
	}
	options := minio.PutObjectOptions{Checksum: algorithm, PartSize: part}
	if _, err := client.PutObject(ctx, bucket, key, bytes.NewReader(sent), size, options); err != nil {
		return nil, err
	}
	reader, err := client.GetObject(ctx, bucket, key, minio.GetObjectOptions{Checksum: true})
	if err != nil {
		return nil, err
	}
	defer reader.Close()
	got, err := io.ReadAll(reader)
	if err != nil {
		return nil, err
	}
	if !bytes.Equal(sent, got) {
		return nil, fmt.Errorf("other bytes came back")
	}
	info, err := client.StatObject(ctx, bucket, key, minio.StatObjectOptions{Checksum: true})
	if err != nil {
		return nil, err
	}
	return &seen{
		Key: key, Checksum: info.Checksum(algorithm), Mode: info.ChecksumMode, ETag: info.ETag, Size: info.Size,
	}, nil
}
