// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {Test} from "forge-std/Test.sol";

import {TestToken} from "../../src/test-tokens/TestToken.sol";

contract TestTokenTest is Test {
    function test_anyoneMints() public {
        TestToken token = new TestToken("Dollar", "USD", 6);
        vm.prank(makeAddr("anyone"));
        token.mint(address(this), 5);
        assertEq(token.balanceOf(address(this)), 5);
        assertEq(token.decimals(), 6);
        assertEq(token.symbol(), "USD");
    }
}
