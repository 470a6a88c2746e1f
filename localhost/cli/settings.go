package cli

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/tandem-api/tandem/localhost/dotenv"
	"github.com/tandem-api/tandem/shared/config"
	"github.com/tandem-api/tandem/shared/redisdb"
)

// Settings reads the configuration of a command from the environment and .env.
func (h Host) Settings() (config.Config, error) {
	lookup, err := dotenv.Lookup(h.Lookup, dotenv.File)
	if err != nil {
		return config.Config{}, UsageError{err}
	}
	return settingsFrom(lookup)
}

func settingsFrom(lookup config.Lookup) (config.Config, error) {
	c, err := config.FromEnv(lookup)
	if err == nil && c.RedisURL != "" {
		err = redisdb.Check(c.RedisURL)
	}
	if err != nil {
		return config.Config{}, UsageError{err}
	}
	c.Lambda = "" // this is the local host, whatever the environment was copied from
	if len(c.AuthSecrets) == 0 {
		secret, err := localSecret(AuthSecretFile)
		if err != nil {
			return config.Config{}, err
		}
		c.AuthSecrets = []config.Secret{secret}
	}
	return c, nil
}

// AuthSecretFile keeps the secret that signs logins on a machine where AUTH_SECRET is not
// set, so that a token from `localhost token` is good for a running `localhost serve`.
const AuthSecretFile = "tmp/auth-secret"

// localSecret reads the secret from the file, or makes one there, readable only by
// this user.
func localSecret(path string) (config.Secret, error) {
	text, err := os.ReadFile(path)
	if err == nil && len(text) >= config.MinAuthSecret {
		return config.Secret(text), nil
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", fmt.Errorf("AUTH_SECRET is not set, and the local one cannot be read: %w", err)
	}
	if err := keepSecret(path); err != nil {
		return "", fmt.Errorf("AUTH_SECRET is not set, and no local one can be kept: %w", err)
	}
	text, err = os.ReadFile(path)
	return config.Secret(text), err
}

// keepSecret writes a new secret to the file, whole, unless another process was
// first: then that one's stays.
func keepSecret(path string) error {
	key := make([]byte, config.MinAuthSecret)
	_, _ = rand.Read(key) // never fails
	dir, name := filepath.Split(path)
	if err := os.MkdirAll(filepath.Clean(dir), 0o755); err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Clean(dir), name+".*") // readable by this user only
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	_, err = f.WriteString(hex.EncodeToString(key))
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	if err := os.Link(f.Name(), path); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return nil
}
