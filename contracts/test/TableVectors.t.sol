// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {TableExit} from "../src/libraries/TableExit.sol";
import {Vectors} from "./fixtures/Vectors.sol";
import {TableExitHarness} from "./libraries/TableExit.t.sol";

/// @notice Headers, rows, salts and paths of the independent implementation.
contract TableVectorsTest is Vectors {
    string internal constant VERSIONS = ".versions";

    TableExitHarness internal table;

    function setUp() public {
        _load("table.json");
        vm.chainId(_uint(_at(VERSIONS, 0, "chain")));
        address place = _address(_at(VERSIONS, 0, "contract"));
        deployCodeTo("TableExit.t.sol:TableExitHarness", "", place);
        table = TableExitHarness(place);
    }

    function test_everyEntryOpens() public view {
        uint256 opened;
        for (uint256 v = 0; _has(VERSIONS, v); ++v) {
            TableExit.Expected memory expected = TableExit.Expected({
                headerHash: _bytes32(_at(VERSIONS, v, "header_hash")),
                tableId: _bytes32(_at(VERSIONS, v, "table")),
                version: uint64(_uint(_at(VERSIONS, v, "version")))
            });
            bytes memory header = _bytes(_at(VERSIONS, v, "header"));
            string memory entries = _at(VERSIONS, v, "entries");
            for (uint256 i = 0; _has(entries, i); ++i) {
                _open(expected, header, entries, i);
                ++opened;
            }
        }
        assertGt(opened, 5);
    }

    function _open(TableExit.Expected memory expected, bytes memory header, string memory entries, uint256 i)
        private
        view
    {
        bytes memory row = _bytes(_at(entries, i, "row"));
        TableExit.Row memory r = table.open(
            expected,
            header,
            uint32(_uint(_at(entries, i, "index"))),
            row,
            _bytes32(_at(entries, i, "row_salt")),
            _bytes32s(_at(entries, i, "path"))
        );
        bytes memory again = abi.encodePacked(r.account, r.asset, r.amount);
        for (uint256 k = 0; k < again.length; ++k) {
            assertEq(again[k], row[k]);
        }
    }
}
