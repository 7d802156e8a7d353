// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.20;

/// @title Reading a row of the balance table on chain
/// @notice Checks a table header against what the pool knows, and a row against the header's state root.
///
/// *Layout* of the header (435 bytes, big-endian; the chain stores its keccak256):
///
///   bytes       field                    bytes       field
///   --------    --------------------     --------    --------------------
///     0..4      magic "CCTB"              84..116    previous header hash
///     4..6      format, 1                116..117    tier = log2(rows)
///     6..8      suite                    117..119    row size, 64
///     8..16     chain                    119..123    chunks
///    16..36     contract                 123..155    body root
///    36..68     table                    155..187    key commitment
///    68..76     epoch                    187..219    state root
///    76..84     version                  219..435    wrapped data key
///
/// *Layout* of a row (64 bytes, big-endian):
///
///   bytes       field
///   --------    ----------------------------------------------------------------------------
///     0..20     account: the owner's address
///    20..24     asset
///    24..40     amount, including what is reserved, in base units
///    40..48     reserved, in lots
///    48..56     nonce
///    56..58     flags: reason code in the high byte; bit 0 frozen, bit 1 withdrawing
///    58..64     zeros
///
/// State tree: leaf = SHA-256(00 ‖ salt ‖ row), node = SHA-256(01 ‖ left ‖ right).
///
/// *Source*: the table header of the cryptography specification, the rows *state tree* and *exit* of the encodings.
library TableExit {
    uint256 private constant HEADER_LENGTH = 435;
    uint16 private constant ROW_LENGTH = 64;
    bytes4 private constant MAGIC = "CCTB";
    uint16 private constant FORMAT = 1;
    /// @dev Frozen, withdrawing.
    uint16 private constant REFUSING_FLAGS = 0x0003;
    /// @dev The low byte's bits without a meaning.
    uint16 private constant UNKNOWN_FLAGS = 0x00fc;

    /// @notice What the pool knows of its table.
    struct Expected {
        bytes32 headerHash;
        bytes32 tableId;
        uint64 version;
    }

    /// @notice What an exit needs of a row.
    struct Row {
        address account;
        uint32 asset;
        uint128 amount;
        uint16 flags;
    }

    /// @notice The header is not 435 bytes long.
    error HeaderLength(uint256 expected, uint256 found);
    /// @notice The header is not the current one.
    error HeaderHashMismatch(bytes32 expected, bytes32 found);
    /// @notice The header does not begin with "CCTB".
    error HeaderMagic(bytes4 expected, bytes4 found);
    /// @notice The header has another format.
    error HeaderFormat(uint16 expected, uint16 found);
    /// @notice The header belongs to a table on another chain.
    error HeaderChain(uint256 expected, uint64 found);
    /// @notice The header belongs to another contract's table.
    error HeaderContract(address expected, address found);
    /// @notice The header belongs to another table.
    error HeaderTable(bytes32 expected, bytes32 found);
    /// @notice The header has another version.
    error HeaderVersion(uint64 expected, uint64 found);
    /// @notice The header has rows of another size.
    error HeaderRowSize(uint16 expected, uint16 found);
    /// @notice The path is not as long as the tree is high.
    error PathLength(uint256 expected, uint256 found);
    /// @notice The table has no row with this index.
    error RowIndex(uint256 rows, uint32 found);
    /// @notice The row is not in the table.
    error StateRootMismatch(bytes32 expected, bytes32 found);
    /// @notice The row is not 64 bytes long.
    error RowLength(uint256 expected, uint256 found);
    /// @notice Flags without a meaning or padding are not zero.
    error RowMalformed(uint16 flags, uint48 padding);
    /// @notice The row is frozen or being withdrawn.
    error RowRefused(uint16 flags);

    /// @notice Reads a row out of the table that `expected` describes.
    /// @param header The current table header.
    /// @param index Place of the row.
    /// @param rowBytes The row.
    /// @param salt The row's salt in this version.
    /// @param path Siblings from the leaf upward.
    function open(
        Expected memory expected,
        bytes calldata header,
        uint32 index,
        bytes calldata rowBytes,
        bytes32 salt,
        bytes32[] calldata path
    ) internal view returns (Row memory) {
        _checkHeader(expected, header);
        uint256 tier = uint8(header[116]);
        if (path.length != tier) revert PathLength(tier, path.length);
        if (index >> tier != 0) revert RowIndex(2 ** tier, index);
        if (rowBytes.length != ROW_LENGTH) revert RowLength(ROW_LENGTH, rowBytes.length);
        bytes32 stateRoot = bytes32(header[187:219]);
        bytes32 found = root(leaf(salt, rowBytes), index, path);
        if (found != stateRoot) revert StateRootMismatch(stateRoot, found);
        return _readRow(rowBytes);
    }

    /// @notice SHA-256(00 ‖ salt ‖ row).
    function leaf(bytes32 salt, bytes calldata row) internal pure returns (bytes32) {
        return sha256(abi.encodePacked(bytes1(0x00), salt, row));
    }

    /// @notice SHA-256(01 ‖ left ‖ right).
    function node(bytes32 left, bytes32 right) internal pure returns (bytes32) {
        return sha256(abi.encodePacked(bytes1(0x01), left, right));
    }

    /// @notice The root above `hash` at `index`.
    function root(bytes32 hash, uint256 index, bytes32[] calldata path) internal pure returns (bytes32) {
        for (uint256 i = 0; i < path.length; ++i) {
            hash = (index >> i) & 1 == 0 ? node(hash, path[i]) : node(path[i], hash);
        }
        return hash;
    }

    function _checkHeader(Expected memory expected, bytes calldata header) private view {
        if (header.length != HEADER_LENGTH) revert HeaderLength(HEADER_LENGTH, header.length);
        bytes32 hash = keccak256(header);
        if (hash != expected.headerHash) revert HeaderHashMismatch(expected.headerHash, hash);
        bytes4 magic = bytes4(header[0:4]);
        if (magic != MAGIC) revert HeaderMagic(MAGIC, magic);
        uint16 format = uint16(bytes2(header[4:6]));
        if (format != FORMAT) revert HeaderFormat(FORMAT, format);
        _checkPlace(expected, header);
        uint16 rowSize = uint16(bytes2(header[117:119]));
        if (rowSize != ROW_LENGTH) revert HeaderRowSize(ROW_LENGTH, rowSize);
    }

    function _checkPlace(Expected memory expected, bytes calldata header) private view {
        uint64 chain = uint64(bytes8(header[8:16]));
        if (chain != block.chainid) revert HeaderChain(block.chainid, chain);
        address pool = address(bytes20(header[16:36]));
        if (pool != address(this)) revert HeaderContract(address(this), pool);
        bytes32 table = bytes32(header[36:68]);
        if (table != expected.tableId) revert HeaderTable(expected.tableId, table);
        uint64 version = uint64(bytes8(header[76:84]));
        if (version != expected.version) revert HeaderVersion(expected.version, version);
    }

    function _readRow(bytes calldata row) private pure returns (Row memory r) {
        r.account = address(bytes20(row[0:20]));
        r.asset = uint32(bytes4(row[20:24]));
        r.amount = uint128(bytes16(row[24:40]));
        r.flags = uint16(bytes2(row[56:58]));
        uint48 padding = uint48(bytes6(row[58:64]));
        if (r.flags & UNKNOWN_FLAGS != 0 || padding != 0) revert RowMalformed(r.flags, padding);
        if (r.flags & REFUSING_FLAGS != 0) revert RowRefused(r.flags);
    }
}
