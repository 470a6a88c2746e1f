ARCH := arm64
