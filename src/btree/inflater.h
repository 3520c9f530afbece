/// A zlib stream to be decompressed, ended on every way out.
#pragma once

#include <zlib.h>

namespace redoubt::btree {

class Inflater {
public:
    Inflater() { ready_ = inflateInit(&stream_) == Z_OK; }
    Inflater(const Inflater&) = delete;
    Inflater& operator=(const Inflater&) = delete;
    ~Inflater() {
        if (ready_) {
            inflateEnd(&stream_);
        }
    }
    bool ready() const { return ready_; }
    z_stream& stream() { return stream_; }

private:
    z_stream stream_{};
    bool ready_ = false;
};

}  // namespace redoubt::btree
