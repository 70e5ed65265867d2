// RUN: loss-opt %s --canonicalize --split-input-file | FileCheck %s

#bc = #loss.axes<batch, class>
#b = #loss.axes<batch>

// CHECK-LABEL: @broadcastToItself
// CHECK-SAME: %[[X:.*]]: tensor<?xf64
// CHECK-NEXT: return %[[X]]
func.func @broadcastToItself(%x: tensor<?xf64, #b>) -> tensor<?xf64, #b> {
  %0 = loss.broadcast %x : tensor<?xf64, #b> to tensor<?xf64, #b>
  return %0 : tensor<?xf64, #b>
}

// -----

#bc = #loss.axes<batch, class>
#b = #loss.axes<batch>

// CHECK-LABEL: @broadcastTwice
// CHECK-SAME: %[[X:.*]]: f64
// CHECK-NEXT: loss.broadcast %[[X]] : f64 to tensor<?x?xf64
// CHECK-NEXT: return
func.func @broadcastTwice(%x: f64) -> tensor<?x?xf64, #bc> {
  %0 = loss.broadcast %x : f64 to tensor<?xf64, #b>
  %1 = loss.broadcast %0 : tensor<?xf64, #b> to tensor<?x?xf64, #bc>
  return %1 : tensor<?x?xf64, #bc>
}

// -----

#bc = #loss.axes<batch, class>
#b = #loss.axes<batch>

// What does not vary over the classes is computed once a row; constants fold.
// CHECK-LABEL: @hoist
// CHECK-SAME: %[[X:.*]]: tensor<?xf64
// CHECK-DAG: %[[C:.*]] = arith.constant 6.0
// CHECK: %[[E:.*]] = math.exp %[[X]] : tensor<?xf64, #loss.axes<batch>>
// CHECK: %[[N:.*]] = loss.broadcast %[[C]] : f64 to tensor<?xf64, #loss.axes<batch>>
// CHECK: %[[M:.*]] = arith.mulf %[[E]], %[[N]] : tensor<?xf64, #loss.axes<batch>>
// CHECK: loss.broadcast %[[M]]
func.func @hoist(%x: tensor<?xf64, #b>) -> tensor<?x?xf64, #bc> {
  %two = arith.constant 2.0 : f64
  %three = arith.constant 3.0 : f64
  %0 = loss.broadcast %x : tensor<?xf64, #b> to tensor<?x?xf64, #bc>
  %1 = loss.broadcast %two : f64 to tensor<?x?xf64, #bc>
  %2 = loss.broadcast %three : f64 to tensor<?x?xf64, #bc>
  %3 = math.exp %0 : tensor<?x?xf64, #bc>
  %4 = arith.mulf %1, %2 : tensor<?x?xf64, #bc>
  %5 = arith.mulf %3, %4 : tensor<?x?xf64, #bc>
  return %5 : tensor<?x?xf64, #bc>
}

// -----

#bc = #loss.axes<batch, class>
#b = #loss.axes<batch>

// CHECK-LABEL: @reduceBroadcast
// CHECK-SAME: %[[X:.*]]: tensor<?xf64
// CHECK: %[[N:.*]] = loss.axis_size "class" : f64
// CHECK: %[[W:.*]] = loss.broadcast %[[N]]
// CHECK: %[[S:.*]] = arith.mulf %[[X]], %[[W]]
// CHECK: return %[[S]], %[[X]]
func.func @reduceBroadcast(%x: tensor<?xf64, #b>) -> (tensor<?xf64, #b>, tensor<?xf64, #b>) {
  %0 = loss.broadcast %x : tensor<?xf64, #b> to tensor<?x?xf64, #bc>
  %1 = loss.reduce sum %0 over "class" : tensor<?x?xf64, #bc> -> tensor<?xf64, #b>
  %2 = loss.reduce max %0 over "class" : tensor<?x?xf64, #bc> -> tensor<?xf64, #b>
  return %1, %2 : tensor<?xf64, #b>, tensor<?xf64, #b>
}

// -----

#bc = #loss.axes<batch, class>
#b = #loss.axes<batch>

// One user of the broadcast on both sides.
// CHECK-LABEL: @square
// CHECK-SAME: %[[X:.*]]: tensor<?xf64
// CHECK: %[[M:.*]] = arith.mulf %[[X]], %[[X]] : tensor<?xf64, #loss.axes<batch>>
// CHECK: loss.broadcast %[[M]]
func.func @square(%x: tensor<?xf64, #b>) -> tensor<?x?xf64, #bc> {
  %0 = loss.broadcast %x : tensor<?xf64, #b> to tensor<?x?xf64, #bc>
  %1 = arith.mulf %0, %0 : tensor<?x?xf64, #bc>
  return %1 : tensor<?x?xf64, #bc>
}
