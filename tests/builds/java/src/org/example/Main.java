package org.example;

import java.util.Arrays;
import java.util.logging.Logger;

public class Main {
    record Greeting(String text) {}

    public static void main(String[] names) {
        Logger.getLogger("x").fine("not shown");
        var words = Arrays.stream(names).sorted().toList();
        System.out.println(new Greeting("java " + words + " in " + System.getProperty("java.home")));
    }
}
