mod numbers;

fn main() {
    let n = std::env::args().nth(1).and_then(|text| text.parse().ok()).unwrap_or(10);
    println!("fib({n}) = {}", numbers::fibonacci(n));
}
