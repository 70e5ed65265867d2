// RUN: loss-opt %s --loss-fuse --split-input-file --verify-diagnostics

#bc = #loss.axes<batch, class>
#b = #loss.axes<batch>

loss.program @softmax(%x: tensor<?x?xf64, #bc> {loss.kind = "input", loss.name = "x"})
    -> (tensor<?xf64, #b> {loss.result = "value"}) attributes {axes = #bc} {
  // expected-error @+1 {{expected no loss.logsumexp here; run loss-expand first}}
  %0 = loss.logsumexp %x over "class" : tensor<?x?xf64, #bc> -> tensor<?xf64, #b>
  loss.yield %0 : tensor<?xf64, #b>
}

// -----

#bcp = #loss.axes<batch, class, position>
#bp = #loss.axes<batch, position>
#b = #loss.axes<batch>

loss.program @gather(%x: tensor<?x?x?xf64, #bcp> {loss.kind = "input", loss.name = "x"},
                     %t: tensor<?x?xi64, #bp> {loss.kind = "target", loss.name = "t"})
    -> (tensor<?x?xf64, #bp> {loss.result = "value"}) attributes {axes = #bcp, class_axis = "class"} {
  // expected-error @+1 {{expected a gather from a value over the classes, but found 'tensor<?x?x?xf64, #loss.axes<batch, class, position>>'}}
  %1 = loss.gather %x at %t over "class" : tensor<?x?x?xf64, #bcp>, tensor<?x?xi64, #bp> -> tensor<?x?xf64, #bp>
  loss.yield %1 : tensor<?x?xf64, #bp>
}
