// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {Test} from "forge-std/Test.sol";

import {TableExit} from "../../src/libraries/TableExit.sol";
import {TableFixture} from "../fixtures/TableFixture.sol";

contract TableExitHarness {
    function open(
        TableExit.Expected calldata expected,
        bytes calldata header,
        uint32 index,
        bytes calldata row,
        bytes32 salt,
        bytes32[] calldata path
    ) external view returns (TableExit.Row memory) {
        return TableExit.open(expected, header, index, row, salt, path);
    }
}

contract TableExitTest is Test, TableFixture {
    uint8 internal constant TIER = 10;
    uint64 internal constant VERSION = 9;
    bytes32 internal constant SALT = keccak256("salt");
    address internal constant OWNER = address(0xa11ce);

    TableExitHarness internal table;
    uint32 internal index = 613;
    bytes internal row;
    bytes internal header;
    bytes32[] internal path;

    function setUp() public {
        table = new TableExitHarness();
        row = _row(OWNER, 1, 5e18, 0);
        path = _siblings(TIER);
        _seal();
    }

    function _seal() private {
        header = _header(address(table), VERSION, keccak256("previous"), TIER, _rootOver(_leaf(SALT, row), index, path));
    }

    function _expected() private view returns (TableExit.Expected memory) {
        return TableExit.Expected(keccak256(header), TABLE_ID, VERSION);
    }

    function _open() private view returns (TableExit.Row memory) {
        return table.open(_expected(), header, index, row, SALT, path);
    }

    function _refuse(bytes memory reason) private {
        TableExit.Expected memory expected = _expected();
        vm.expectRevert(reason);
        table.open(expected, header, index, row, SALT, path);
    }

    /// @dev Puts bytes into the header.
    function _patch(uint256 offset, bytes memory bytes_) private {
        for (uint256 i = 0; i < bytes_.length; ++i) {
            header[offset + i] = bytes_[i];
        }
    }

    function test_opens() public view {
        TableExit.Row memory r = _open();
        assertEq(header.length, 435);
        assertEq(r.account, OWNER);
        assertEq(r.asset, 1);
        assertEq(r.amount, 5e18);
        assertEq(r.flags, 0);
    }

    function testFuzz_opensEveryRow(address account, uint32 asset, uint128 amount, uint32 place) public {
        row = _row(account, asset, amount, 0x4200);
        index = uint32(bound(place, 0, 1023));
        _seal();
        TableExit.Row memory r = _open();
        assertEq(r.account, account);
        assertEq(r.asset, asset);
        assertEq(r.amount, amount);
        assertEq(r.flags, 0x4200);
    }

    function testFuzz_refusesAnyFlippedBitOfTheRow(uint256 bit) public {
        bit = bound(bit, 0, 511);
        bytes32 root = _rootOver(_leaf(SALT, row), index, path);
        row[bit / 8] ^= bytes1(uint8(1 << (bit % 8)));
        bytes32 found = _rootOver(_leaf(SALT, row), index, path);
        _refuse(abi.encodeWithSelector(TableExit.StateRootMismatch.selector, root, found));
    }

    function testFuzz_refusesAnyOtherPlace(uint32 place) public {
        place = uint32(bound(place, 0, 1023));
        vm.assume(place != index);
        bytes32 root = _rootOver(_leaf(SALT, row), index, path);
        index = place;
        bytes32 found = _rootOver(_leaf(SALT, row), index, path);
        _refuse(abi.encodeWithSelector(TableExit.StateRootMismatch.selector, root, found));
    }

    function testFuzz_refusesAnyFlippedBitOfTheHeader(uint256 bit) public {
        TableExit.Expected memory expected = _expected();
        bit = bound(bit, 0, 435 * 8 - 1);
        header[bit / 8] ^= bytes1(uint8(1 << (bit % 8)));
        vm.expectRevert(
            abi.encodeWithSelector(TableExit.HeaderHashMismatch.selector, expected.headerHash, keccak256(header))
        );
        table.open(expected, header, index, row, SALT, path);
    }

    function test_refusesRowIndexBeyondTheTable() public {
        index += 1024;
        _refuse(abi.encodeWithSelector(TableExit.RowIndex.selector, 1024, index));
    }

    function test_refusesShorterAndLongerPath() public {
        path.push(0);
        _refuse(abi.encodeWithSelector(TableExit.PathLength.selector, 10, 11));
        path.pop();
        path.pop();
        _refuse(abi.encodeWithSelector(TableExit.PathLength.selector, 10, 9));
    }

    function test_refusesInnerNodeAsRow() public {
        bytes32 left = _leaf(SALT, row);
        (bytes32 first, bytes32 second) = index % 2 == 0 ? (left, path[0]) : (path[0], left);
        row = abi.encodePacked(first, second);
        bytes32 root = bytes32(vm.parseBytes32(vm.toString(_slice(187))));
        bytes32 found = _rootOver(_leaf(SALT, row), index, path);
        _refuse(abi.encodeWithSelector(TableExit.StateRootMismatch.selector, root, found));
    }

    function _slice(uint256 offset) private view returns (bytes32 word) {
        bytes memory copy = header;
        assembly {
            word := mload(add(add(copy, 32), offset))
        }
    }

    function test_refusesHeaderOfOtherLength() public {
        header = abi.encodePacked(header, hex"00");
        _refuse(abi.encodeWithSelector(TableExit.HeaderLength.selector, 435, 436));
    }

    function test_refusesOtherMagic() public {
        _patch(0, "CCTS");
        _refuse(abi.encodeWithSelector(TableExit.HeaderMagic.selector, bytes4("CCTB"), bytes4("CCTS")));
    }

    function test_refusesOtherFormat() public {
        _patch(4, hex"0002");
        _refuse(abi.encodeWithSelector(TableExit.HeaderFormat.selector, 1, 2));
    }

    function test_refusesOtherChain() public {
        _patch(8, abi.encodePacked(uint64(block.chainid + 1)));
        _refuse(abi.encodeWithSelector(TableExit.HeaderChain.selector, block.chainid, block.chainid + 1));
    }

    function test_refusesOtherContract() public {
        _patch(16, abi.encodePacked(address(3)));
        _refuse(abi.encodeWithSelector(TableExit.HeaderContract.selector, address(table), address(3)));
    }

    function test_refusesOtherTable() public {
        _patch(36, abi.encodePacked(bytes32("other")));
        _refuse(abi.encodeWithSelector(TableExit.HeaderTable.selector, TABLE_ID, bytes32("other")));
    }

    function test_refusesOtherVersion() public {
        _patch(76, abi.encodePacked(VERSION - 1));
        _refuse(abi.encodeWithSelector(TableExit.HeaderVersion.selector, VERSION, VERSION - 1));
    }

    function test_refusesOtherRowSize() public {
        _patch(117, hex"0080");
        _refuse(abi.encodeWithSelector(TableExit.HeaderRowSize.selector, 64, 128));
    }

    function test_refusesRowOfOtherLength() public {
        row = abi.encodePacked(row, hex"00");
        _refuse(abi.encodeWithSelector(TableExit.RowLength.selector, 64, 65));
    }

    function _refuseRow(bytes memory changed, bytes memory reason) private {
        row = changed;
        _seal();
        _refuse(reason);
    }

    function test_refusesFrozenAndWithdrawing() public {
        for (uint16 flags = 1; flags < 4; ++flags) {
            _refuseRow(
                _row(OWNER, 1, 1, 0x0700 | flags), abi.encodeWithSelector(TableExit.RowRefused.selector, 0x0700 | flags)
            );
        }
    }

    function test_refusesUnknownFlags() public {
        for (uint16 bit = 2; bit < 8; ++bit) {
            uint16 flags = uint16(1 << bit);
            _refuseRow(_row(OWNER, 1, 1, flags), abi.encodeWithSelector(TableExit.RowMalformed.selector, flags, 0));
        }
    }

    function test_refusesPaddingThatIsNotZero() public {
        _refuseRow(
            abi.encodePacked(OWNER, uint32(1), uint128(1), uint64(0), uint64(0), uint16(0), uint48(1)),
            abi.encodeWithSelector(TableExit.RowMalformed.selector, 0, 1)
        );
    }
}
