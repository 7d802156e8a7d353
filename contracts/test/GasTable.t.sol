// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {KeystoneForwarder} from "@chainlink/contracts/src/v0.8/keystone/KeystoneForwarder.sol";
import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {ERC4626} from "@openzeppelin/contracts/token/ERC20/extensions/ERC4626.sol";
import {console} from "forge-std/console.sol";

import {CREDarkPool} from "../src/CREDarkPool.sol";
import {QuorumForwarder} from "../src/QuorumForwarder.sol";
import {ReserveAttestation} from "../src/ReserveAttestation.sol";
import {IReceiver} from "../src/interfaces/IReceiver.sol";
import {ReportPayload} from "../src/libraries/ReportPayload.sol";
import {Ingress} from "../src/types/Ingress.sol";
import {PoolConfig} from "../src/types/PoolConfig.sol";
import {PoolFixture} from "./fixtures/PoolFixture.sol";
import {SignerFixture} from "./fixtures/SignerFixture.sol";

/// @notice Writes one word and emits one event: what the figures of a bare report stand for.
contract BareReceiver {
    bytes32 public last;

    event Received(bytes32 digest);

    function onReport(bytes calldata, bytes calldata report) external {
        last = keccak256(report);
        emit Received(last);
    }

    function supportsInterface(bytes4 id) external pure returns (bool) {
        return id == type(IReceiver).interfaceId || id == 0x01ffc9a7;
    }
}

/// @notice Takes a token in and counts it, as OpenZeppelin does it: the baseline of a deposit.
contract BareVault is ERC4626 {
    constructor(IERC20 token) ERC4626(token) ERC20("Vault", "V") {}
}

/// @notice Keeps the hash of some bytes under an id of its own and emits them: the baseline of a submission.
contract BareInbox {
    mapping(bytes32 id => bytes32 hash) public hashes;

    event Taken(bytes32 indexed id, address indexed from, bytes32 salt, bytes data);

    function take(bytes32 salt, bytes calldata data) external {
        bytes32 id = keccak256(abi.encode(block.chainid, address(this), msg.sender, salt));
        hashes[id] = keccak256(data);
        emit Taken(id, msg.sender, salt, data);
    }
}

/// @notice The figures of the gas table in docs/benchmarks.md: forge test --match-contract GasTable -vv
/// @dev Every call is a transaction of its own.
/// forge-config: default.isolate = true
contract GasTableTest is PoolFixture, SignerFixture {
    uint256 internal constant GOAL_OF_A_FILL = 200_000;

    QuorumForwarder internal ours;
    KeystoneForwarder internal theirs;

    function setUp() public override {
        super.setUp();
        ours = new QuorumForwarder(address(this));
        theirs = new KeystoneForwarder();
    }

    function _configure(uint8 f) private {
        ours.setConfig(DON, CONFIG_VERSION, f, _signers(3 * uint256(f) + 1));
        theirs.setConfig(DON, CONFIG_VERSION, f, _signers(3 * uint256(f) + 1));
    }

    /// @dev Execution alone, and the whole transaction.
    function _measure(address from, address to, bytes memory call) private returns (uint256 execution, uint256 total) {
        vm.prank(from);
        (bool ok,) = to.call(call);
        total = vm.lastCallGas().gasTotalUsed;
        assertTrue(ok);
        execution = total - 21_000 - _calldataGas(call);
    }

    function _calldataGas(bytes memory call) private pure returns (uint256 gas) {
        for (uint256 i = 0; i < call.length; ++i) {
            gas += call[i] == 0 ? 4 : 16;
        }
    }

    function _show(string memory what, uint256 execution, uint256 total) private pure {
        console.log(what, execution, total);
    }

    function _reportCall(address receiver, bytes10 name, uint16 kind, bytes memory payload, uint8 f)
        private
        view
        returns (bytes memory)
    {
        bytes memory raw = abi.encodePacked(
            uint8(1), keccak256(payload), uint32(block.timestamp), DON, CONFIG_VERSION, _metadata(name, kind), payload
        );
        bytes memory context = _context(ours.configDigest(DON, CONFIG_VERSION));
        bytes[] memory signatures = _signAll(uint256(f) + 1, _digest(raw, context));
        return abi.encodeCall(ours.report, (receiver, raw, context, signatures));
    }

    // Verification and delivery

    function _bare(address forwarder, uint8 f) private returns (uint256 execution, uint256 total) {
        BareReceiver receiver = new BareReceiver();
        bytes memory call = _reportCall(address(receiver), ROUND_NAME, 1, abi.encode(keccak256("bare")), f);
        (execution, total) = _measure(address(this), forwarder, call);
        assertNotEq(receiver.last(), 0);
    }

    function _compareBare(uint8 f) private {
        _configure(f);
        (uint256 a, uint256 totalA) = _bare(address(ours), f);
        (uint256 b, uint256 totalB) = _bare(address(theirs), f);
        _show("bare report, ours", a, totalA);
        _show("bare report, theirs", b, totalB);
        assertLe(a, b);
    }

    function test_deliveryCostsNoMoreThanTheirsWith4Signatures() public {
        _compareBare(3);
    }

    function test_deliveryCostsNoMoreThanTheirsWith11Signatures() public {
        _compareBare(10);
    }

    // A fill

    function _poolBehind(address forwarder_) private {
        PoolConfig memory c = _config(address(usd), address(btc));
        c.ingress.forwarder = forwarder_;
        pool = new CREDarkPool(c);
        _fund(usd);
    }

    function _fill(address forwarder_, uint8 f) private returns (uint256 execution, uint256 total) {
        _poolBehind(forwarder_);
        _deposit(USD, 1, "deposit");
        bytes memory first = _reportCall(address(pool), ROUND_NAME, 2, _payload(_idle()), f);
        _measure(address(this), forwarder_, first);
        _deposit(USD, 1, "another");
        bytes32 id = _requestCollateral("request", 600);
        vm.warp(block.timestamp + 600);
        bytes memory call = _reportCall(address(pool), ROUND_NAME, 2, _payload(_settling(id, true)), f);
        (execution, total) = _measure(address(this), forwarder_, call);
        (,, uint8 status,) = pool.request(id);
        assertEq(status, 2);
    }

    function _compareFills(uint8 f) private returns (uint256 total) {
        _configure(f);
        uint256 execution;
        (execution, total) = _fill(address(ours), f);
        _show("confidentialFill, ours", execution, total);
        (uint256 execution_, uint256 total_) = _fill(address(theirs), f);
        _show("confidentialFill, theirs", execution_, total_);
        assertLe(total, total_);
    }

    function test_fillWith4Signatures() public {
        assertLe(_compareFills(3), GOAL_OF_A_FILL);
    }

    function test_fillWith11Signatures() public {
        _compareFills(10);
    }

    /// @dev Neither the number of deposits and makers nor that of pending requests moves the price of a round.
    function test_aFillCostsTheSameWithManyMakers() public {
        _configure(3);
        (uint256 few,) = _fill(address(ours), 3);
        _poolBehind(address(ours));
        for (uint256 i = 0; i < 100; ++i) {
            _deposit(USD, 1, bytes32(i));
            if (i == 50) _measure(address(this), address(ours), _roundCall(_idle()));
        }
        bytes32 id = _requestCollateral("request", 600);
        for (uint256 i = 0; i < 50; ++i) {
            _requestCollateral(bytes32(1000 + i), 600);
        }
        vm.warp(block.timestamp + 600);
        (uint256 many,) = _measure(address(this), address(ours), _roundCall(_settling(id, true)));
        assertApproxEqAbs(many, few, 100);
    }

    function _roundCall(ReportPayload.Round memory r) private returns (bytes memory) {
        return _reportCall(address(pool), ROUND_NAME, 2, _payload(r), 3);
    }

    // The rest

    function test_attestationUpdateCostsNoMoreThanBehindTheirs() public {
        for (uint8 f = 3; f <= 10; f += 7) {
            _configure(f);
            (uint256 execution, uint256 total) = _update(address(ours), f);
            _show("attestation update, ours", execution, total);
            (uint256 execution_, uint256 total_) = _update(address(theirs), f);
            _show("attestation update, theirs", execution_, total_);
            assertLe(total, total_);
        }
    }

    /// @dev The second update of an attestation behind this forwarder.
    function _update(address forwarder_, uint8 f) private returns (uint256 execution, uint256 total) {
        Ingress memory ingress = _ingress(ROUND_NAME);
        ingress.forwarder = forwarder_;
        ReserveAttestation attestation = new ReserveAttestation(ingress, "agent", 1 hours);
        _solvency(forwarder_, attestation, 1, f);
        (execution, total) = _solvency(forwarder_, attestation, 2, f);
        assertTrue(attestation.isSolvent());
    }

    function _solvency(address forwarder_, ReserveAttestation attestation, uint64 number, uint8 f)
        private
        returns (uint256, uint256)
    {
        vm.warp(block.timestamp + 12);
        ReportPayload.Solvency memory s =
            ReportPayload.Solvency(1, uint64(block.number), uint64(block.timestamp), "header", keccak256("envelope"));
        bytes memory payload = bytes.concat(_words(_binding(address(attestation), 1, number)), _words(s));
        return _measure(address(this), forwarder_, _reportCall(address(attestation), ROUND_NAME, 1, payload, f));
    }

    function test_requestAndDeposit() public {
        bytes memory sealed_ = _dearest();
        _deposit(USD, 1, "first");
        bytes memory call = abi.encodeCall(pool.deposit, (USD, 5, "second", sealed_));
        (uint256 execution, uint256 total) = _measure(maker, address(pool), call);
        _show("deposit", execution, total);
        call = abi.encodeCall(pool.requestCollateral, ("request", uint64(block.timestamp) + 600, sealed_));
        (execution, total) = _measure(reserve, address(pool), call);
        _show("request", execution, total);
        call = abi.encodeCall(pool.submitStandingOrder, ("order", sealed_));
        (execution, total) = _measure(maker, address(pool), call);
        _show("standing order", execution, total);
    }

    /// @dev 553 bytes without a zero.
    function _dearest() private pure returns (bytes memory data) {
        data = new bytes(553);
        for (uint256 i = 0; i < data.length; ++i) {
            data[i] = bytes1(uint8(1 + i % 255));
        }
    }

    /// @dev What a deposit and a submission stand beside: neither keeps a log that a report can consume.
    function test_baselinesOfDepositAndSubmissions() public {
        BareVault vault = new BareVault(usd);
        vm.startPrank(maker);
        usd.approve(address(vault), 6);
        vault.deposit(1, maker);
        vm.stopPrank();
        (uint256 execution, uint256 total) = _measure(maker, address(vault), abi.encodeCall(vault.deposit, (5, maker)));
        _show("deposit into ERC4626", execution, total);
        BareInbox inbox = new BareInbox();
        (execution, total) = _measure(maker, address(inbox), abi.encodeCall(inbox.take, ("order", _dearest())));
        _show("bare submission", execution, total);
        assertNotEq(inbox.hashes(keccak256(abi.encode(block.chainid, address(inbox), maker, bytes32("order")))), 0);
    }
}
